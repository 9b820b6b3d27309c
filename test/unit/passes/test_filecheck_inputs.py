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
ANOTHER_NETWORK = ("remove-layout-transform", "drop-host-parts")
"""Passes whose result takes and gives other tensors; unit tests look at what that means."""
HOST_PASSES = ("split-host", "validate-operators")
"""Passes whose tests have modules of several graphs that belong together."""


def pipelines(name: str, text: str) -> list[str]:
    """The pass with the options of each RUN line that is to succeed."""
    runs = re.findall(r"(?m)^// RUN: ax-opt .*? -p (?:'([^']*)'|(\S+))", text)
    return [quoted or plain for quoted, plain in runs if (quoted or plain).partition("{")[0] == name]


def parts() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for name in GRAPH_PASSES:
        for path in sorted((FOLDER / name).glob("*.mlir")):
            text = path.read_text()
            if path.stem == "errors" or name in ANOTHER_NETWORK:
                continue
            for pipeline in pipelines(name, text):
                for number, part in enumerate(re.split(r"(?m)^// -----.*$", text)):
                    found.append((pipeline, f"{path.stem}-{number}", part))
    return found


@pytest.mark.parametrize(("pipeline", "text"), [pytest.param(p, t, id=f"{p}/{i}") for p, i, t in parts()])
def test_meaning_is_kept(pipeline: str, text: str) -> None:
    name = pipeline.partition("{")[0]
    ctx = make_context()
    module = parse_module(ctx, text, "test.mlir")
    single = [ModuleOp([graph.clone()]) for graph in graphs(module)]
    for before in single if len(single) > 1 and name not in HOST_PASSES else [module]:
        inputs = random_inputs(graphs(before)[0], seed=0)
        after = before.clone()
        apply(ctx, after, [pipeline])
        values = interpret(ctx, before, inputs)
        expected = {name.data: values[name.data] for name in graphs(before)[-1].outputs}
        assert_close(interpret(ctx, after, inputs), expected)
        assert_close(run_exported(ctx, after, inputs), expected)
