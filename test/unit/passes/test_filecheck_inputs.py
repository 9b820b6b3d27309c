"""The inputs of the FileCheck tests, run: a pass may change how a graph computes, not what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graph_runs import apply, assert_close, graphs, interpret, random_inputs, run_exported
from xdsl.dialects.builtin import ModuleOp

from axir.ir.context import make_context
from axir.ir.parsing import parse_module
from axir.passes.pipeline import GRAPH_PASSES

FOLDER = Path(__file__).resolve().parents[2] / "filecheck" / "passes"


def parts() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for name in GRAPH_PASSES:
        for path in sorted((FOLDER / name).glob("*.mlir")):
            if path.stem == "errors":
                continue
            for number, part in enumerate(re.split(r"(?m)^// -----.*$", path.read_text())):
                found.append((name, f"{path.stem}-{number}", part))
    return found


@pytest.mark.parametrize(("name", "text"), [pytest.param(p, t, id=f"{p}/{i}") for p, i, t in parts()])
def test_meaning_is_kept(name: str, text: str) -> None:
    ctx = make_context()
    module = parse_module(ctx, text, "test.mlir")
    single = [ModuleOp([graph.clone()]) for graph in graphs(module)]
    for before in single if len(single) > 1 and name != "split-host" else [module]:
        inputs = random_inputs(graphs(before)[0], seed=0)
        after = before.clone()
        apply(ctx, after, [name])
        expected = interpret(ctx, before, inputs)
        assert_close(interpret(ctx, after, inputs), expected)
        assert_close(run_exported(ctx, after, inputs), expected)
