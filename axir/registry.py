"""What AXIR knows by name: dialects and passes. Nothing is imported until it is used.

To add a pass, add one line to `PASSES`. Packages outside of AXIR add theirs through the entry point group
`axir.plugins`: an object with the attributes `dialects` and `passes`, dictionaries like those here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from axir.ir.diagnostics import AxirError

if TYPE_CHECKING:
    from xdsl.ir import Dialect
    from xdsl.passes import ModulePass

PLUGIN_GROUP = "axir.plugins"

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class PassEntry:
    """A pass that is not imported yet: where it is, and what `--list-passes` says about it."""

    module: str
    name: str
    help: str

    def load(self) -> type[ModulePass]:
        return cast("type[ModulePass]", _load(self.module, self.name))


class Plugin(Protocol):
    """What an entry point of the group `axir.plugins` refers to."""

    @property
    def dialects(self) -> Mapping[str, Callable[[], Dialect]]: ...

    @property
    def passes(self) -> Mapping[str, PassEntry]: ...


def _load(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _dialect(module: str, name: str) -> Callable[[], Dialect]:
    return lambda: cast("Dialect", _load(module, name))


DIALECTS: dict[str, Callable[[], Dialect]] = {
    "builtin": _dialect("xdsl.dialects.builtin", "Builtin"),
    "func": _dialect("xdsl.dialects.func", "Func"),
    "arith": _dialect("xdsl.dialects.arith", "Arith"),
    "test": _dialect("xdsl.dialects.test", "Test"),
    "ax": _dialect("axir.dialects.ax", "Ax"),
    "axq": _dialect("axir.dialects.axq", "Axq"),
    "aipu": _dialect("axir.dialects.aipu", "Aipu"),
}

PASSES: dict[str, PassEntry] = {
    "canonicalize": PassEntry("xdsl.transforms.canonicalize", "CanonicalizePass", "fold, simplify, erase unused"),
    "cse": PassEntry(
        "xdsl.transforms.common_subexpression_elimination", "CommonSubexpressionElimination", "merge equal operations"
    ),
    "dce": PassEntry("xdsl.transforms.dead_code_elimination", "DeadCodeElimination", "erase unused operations"),
    "strip-locations": PassEntry("axir.passes.strip_locations", "StripLocations", "forget the names of ONNX nodes"),
    "force-split": PassEntry("axir.passes.force_split", "ForceSplit", "give the host all from a chosen node on"),
    "canonicalize-graph": PassEntry(
        "axir.passes.canonicalize_graph", "CanonicalizeGraph", "fold constants, activations, scales, pads into one form"
    ),
    "dense-to-conv": PassEntry("axir.passes.dense_to_conv", "DenseToConv", "make dense layers convolutions"),
    "tokens-to-pixels": PassEntry(
        "axir.passes.tokens_to_pixels", "TokensToPixels", "make attention and tokens work on [1, C, H, W]"
    ),
    "global-to-window-pool": PassEntry(
        "axir.passes.global_to_window_pool", "GlobalToWindowPool", "give global pools and means a window"
    ),
    "rearrange": PassEntry("axir.passes.rearrange", "Rearrange", "move elements between convolutions by copies"),
    "split-host": PassEntry("axir.passes.split_host", "SplitHost", "cut off what the device cannot run, for the host"),
    "remove-layout-transform": PassEntry(
        "axir.passes.remove_layout_transform", "RemoveLayoutTransform", "take NHWC inputs without a host operator"
    ),
    "drop-host-parts": PassEntry("axir.passes.drop_host_parts", "DropHostParts", "leave the device's part alone"),
    "validate-operators": PassEntry(
        "axir.passes.validate_operators", "ValidateOperators", "report what the device cannot run"
    ),
    "fuse-epilogue": PassEntry(
        "axir.passes.fuse_epilogue", "FuseEpilogue", "move elementwise work into the operator before it"
    ),
    "equalize-layers": PassEntry(
        "axir.passes.equalize_layers", "EqualizeLayers", "give channels between convolutions like ranges"
    ),
    "smooth-activations": PassEntry(
        "axir.passes.smooth_activations", "SmoothActivations", "give channels behind normalizations like ranges"
    ),
    "calibrate": PassEntry("axir.passes.calibrate", "Calibrate", "record the ranges of tensors over samples"),
    "widen-activations": PassEntry(
        "axir.passes.widen_activations", "WidenActivations", "give chosen layers results of 16 bits"
    ),
    "quantize": PassEntry("axir.passes.quantize", "Quantize", "make the device's graphs int8, from their calibration"),
    "share-memory": PassEntry(
        "axir.passes.share_memory", "ShareMemory", "give each of several segments its bytes of L2 and DDR"
    ),
    "lower-to-aipu": PassEntry(
        "axir.passes.lower_to_aipu", "LowerToAipuPass", "make tasks over placed and tiled buffers"
    ),
    "stage-constants": PassEntry(
        "axir.passes.stage_constants", "StageConstantsPass", "bring constants from DDR to L2 by the system DMA"
    ),
    "list-schedule": PassEntry(
        "axir.passes.list_schedule",
        "ListSchedulePass",
        "order the tasks by list scheduling, before they have addresses",
    ),
    "batch-over-cores": PassEntry(
        "axir.passes.batch_over_cores", "BatchOverCoresPass", "run a program on several cores, a frame each"
    ),
    "plan-memory": PassEntry("axir.passes.plan_memory", "PlanMemoryPass", "give every buffer an address"),
    "schedule": PassEntry(
        "axir.passes.schedule", "SchedulePass", "order conflicting tasks of different units by tokens"
    ),
    "resolve-addresses": PassEntry(
        "axir.passes.resolve_addresses", "ResolveAddressesPass", "give a program the form that its image has"
    ),
}


def dialects() -> dict[str, Callable[[], Dialect]]:
    """All dialects by name, those of plug-ins included. Raises `AxirError` where two have one name."""
    return _merge(DIALECTS, "dialect", {name: plugin.dialects for name, plugin in _plugins().items()})


def passes() -> dict[str, PassEntry]:
    """All passes by name, those of plug-ins included. Raises `AxirError` where two have one name."""
    return _merge(PASSES, "pass", {name: plugin.passes for name, plugin in _plugins().items()})


@cache
def _plugins() -> dict[str, Plugin]:
    from importlib.metadata import entry_points

    found: dict[str, Plugin] = {}
    for entry in sorted(entry_points(group=PLUGIN_GROUP), key=lambda entry: entry.name):
        try:
            found[entry.name] = cast(Plugin, entry.load())
        except Exception as error:
            raise AxirError(
                f"plug-in '{entry.name}' ({entry.value}) cannot be loaded: {error}",
                notes=("repair or uninstall the package that provides it",),
            ) from error
    return found


def _merge(own: Mapping[str, _Item], what: str, added: Mapping[str, Mapping[str, _Item]]) -> dict[str, _Item]:
    merged = dict(own)
    for plugin, items in added.items():
        for name, item in items.items():
            if name in merged:
                raise AxirError(f"plug-in '{plugin}': {what} '{name}' exists already", notes=("give it another name",))
            merged[name] = item
    return merged
