"""The context of a compilation: the registered dialects, the weights, the device."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context

from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore


@dataclass
class AxContext(Context):
    """xDSL's context with the store of constant tensors and the device description that passes use."""

    store: WeightStore = field(default_factory=WeightStore)
    target: object | None = None
    """The device description, once one is chosen. Typed loosely: this layer knows nothing of devices."""

    @staticmethod
    def of(ctx: Context) -> AxContext:
        """`ctx`, which a pass receives as a plain `Context`. Raises `AxirError` when a foreign driver made it."""
        if not isinstance(ctx, AxContext):
            raise AxirError("this pass needs the weight store", notes=("run it with ax-opt rather than xdsl-opt",))
        return ctx

    def clone(self) -> AxContext:
        """A context whose registrations are independent; store (append-only) and target are shared."""
        return AxContext(
            self.allow_unregistered,
            self._loaded_dialects.copy(),
            self._loaded_ops.copy(),
            self._loaded_attrs.copy(),
            self._loaded_types.copy(),
            self._registered_dialects.copy(),
            store=self.store,
            target=self.target,
        )


def make_context() -> AxContext:
    """A context that knows all dialects of AXIR and of plug-ins; each is imported when first used."""
    from axir.registry import dialects

    ctx = AxContext()
    for name, factory in dialects().items():
        ctx.register_dialect(name, factory)
    return ctx
