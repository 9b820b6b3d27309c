"""Random graphs through the whole device half: what the image computes is what the reference interpreter computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fuzz.device_settings import DEVICE_SETTINGS, NOT_DRAWN, device_settings
from fuzz.graphs import Case, graphs, grouped
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.disassemble import disassemble
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig
from axir.compiler.pipeline import DEVICE_PASSES, make_passes, option_settings
from axir.dialects import aipu, axq
from axir.dialects.base import shape_of
from axir.interp.axq import Interpreter
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module, verify
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.registry import passes
from axir.target.description import Target, load


def lowered(graph: axq.GraphOp, store: WeightStore, target: Target | None = None, **options: Any) -> aipu.ProgramOp:
    """The planned and scheduled program of a graph, by default for the shipped target.

    Raises `AxirError` where it does not fit.
    """
    context = make_context()
    context.target = target or load(None)
    context.store.update(store)
    module = ModuleOp([graph.clone()])
    for pass_ in make_passes(DEVICE_PASSES, CompilerConfig(**options)):
        pass_.apply(context, module)
        verify(module)
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    store.update(context.store)
    return program


def assert_same(case: Case, seed: int, **options: Any) -> None:
    """The simulator accepts the program and gives the reference's bytes."""
    graph, store, target = case.graph, case.store, load(None)
    image = read_image(build_image(lowered(graph, store, **options), store, target), target)
    simulator = Simulator(image, target)
    simulator.check()
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(-128, 128, shape_of(value)).astype(np.int8) for value in graph.body.block.args]
    expected = Interpreter(graph, store).run(inputs)
    for want, got in zip(expected, simulator.run(inputs), strict=True):
        np.testing.assert_array_equal(got, want)


@given(case=graphs(), seed=st.integers(0, 2**31))
def test_simulator_equals_reference(case: Case, seed: int) -> None:
    assert_same(case, seed)


@given(case=grouped(), seed=st.integers(0, 2**31))
def test_groups_over_several_pwords(case: Case, seed: int) -> None:
    assert_same(case, seed)


@given(case=graphs(), seed=st.integers(0, 2**31), settings_=device_settings())
def test_small_memories_and_settings(case: Case, seed: int, settings_: dict[str, Any]) -> None:
    try:
        assert_same(case, seed, **settings_)
        refusal = None
    except AxirError as error:
        refusal = error
        event("refused")
    assert refusal is None or ("fit" in refusal.message and refusal.notes)


@given(case=graphs(), settings_=device_settings(l1_constraint=st.none(), l2_constraint=st.none()))
def test_text_and_disassembly_give_the_same_image(case: Case, settings_: dict[str, Any]) -> None:
    store, target = case.store, load(None)
    try:
        program = lowered(case.graph, store, **settings_)
    except AxirError:
        assume(False)
        return
    data = build_image(program, store, target)
    text = print_module(ModuleOp([program.clone()]))
    context = make_context()
    context.store.update(store)
    parsed = parse_module(context, text, "printed.mlir")
    verify(parsed)
    assert print_module(parsed) == text
    disassembled = disassemble(read_image(data, target), context.store)
    verify(disassembled)
    for module in (parsed, disassembled):
        assert build_image(program_of(module), context.store, target) == data


def test_every_setting_of_the_device_passes_is_drawn() -> None:
    available = passes()
    kinds = [available[name].load() for name in DEVICE_PASSES]
    assert {*DEVICE_SETTINGS, *NOT_DRAWN} == set().union(*(option_settings(kind).values() for kind in kinds))


def test_a_refusal_names_layer_buffers_and_bytes() -> None:
    @given(case=graphs())
    @settings(max_examples=1)
    def refuse(case: Case) -> None:
        with pytest.raises(AxirError, match=r"does not fit L1 with any tiling: it needs [\d,]+ bytes, there are 64"):
            lowered(case.graph, case.store, l1_constraint=64)

    refuse()
