from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.pass_manager import run_passes


def test_clone_registers_independently_and_shares_the_weights() -> None:
    ctx = make_context()
    ctx.target = object()
    clone = ctx.clone()
    clone.load_registered_dialect("test")
    assert ctx.get_optional_dialect("nothing") is None
    assert "test" not in [dialect.name for dialect in ctx.loaded_dialects]
    assert clone.target is ctx.target
    assert clone.store.put(np.zeros(3)) in ctx.store


def test_of() -> None:
    ctx = make_context()
    assert AxContext.of(ctx) is ctx
    with pytest.raises(AxirError, match="needs the weight store"):
        AxContext.of(Context())


@dataclass(frozen=True)
class Records(ModulePass):
    name = "records"
    fails: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.fails:
            raise PassFailedException("no luck")


def test_callbacks_and_timings() -> None:
    calls: list[tuple[str, int]] = []
    timings = run_passes(
        make_context(),
        ModuleOp([]),
        [Records(), Records()],
        before=lambda _, index: calls.append(("before", index)),
        after=lambda _, index: calls.append(("after", index)),
    )
    assert calls == [("before", 0), ("after", 0), ("before", 1), ("after", 1)]
    assert [timing.name for timing in timings] == ["records", "records"]
    assert all(timing.seconds >= 0 and timing.verify_seconds >= 0 for timing in timings)


def test_errors_of_xdsl_passes_name_the_pass() -> None:
    with pytest.raises(AxirError, match="pass 'records': no luck"):
        run_passes(make_context(), ModuleOp([]), [Records(fails=True)])
