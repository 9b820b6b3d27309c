"""Runs passes one after the other: verification, timing, and errors that name the pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException

from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.verifier import verify


@dataclass(frozen=True)
class PassTiming:
    """Wall-clock seconds that a pass took, without and for the verification after it."""

    name: str
    seconds: float
    verify_seconds: float


def run_passes(
    ctx: AxContext,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    *,
    verify_each: bool = True,
    before: Callable[[ModulePass, int], None] | None = None,
    after: Callable[[ModulePass, int], None] | None = None,
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> list[PassTiming]:
    """Run `passes` on `module` in place; `before` and `after` are called around each, with its index.

    With `verify_each` the module is verified after each pass; the two steps are made inside `step("apply")` and
    `step("verify")`. Raises `AxirError`: a pass's own as it is, xDSL's with the name of the pass, and verification
    errors with a note that the pass before is at fault.
    """
    timings: list[PassTiming] = []
    for index, pass_ in enumerate(passes):
        if before is not None:
            before(pass_, index)
        start = perf_counter()
        try:
            with step("apply"):
                pass_.apply(ctx, module)
        except DiagnosticException as error:
            raise AxirError(f"pass '{pass_.name}': {str(error).strip()}") from error
        applied = perf_counter()
        if after is not None:
            after(pass_, index)
        verified = perf_counter()
        if verify_each:
            try:
                with step("verify"):
                    verify(module)
            except AxirError as error:
                error.add_context(f"pass '{pass_.name}' produced this; it is a defect of the pass")
                raise
        timings.append(PassTiming(pass_.name, applied - start, perf_counter() - verified))
    return timings
