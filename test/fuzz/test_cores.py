"""Random graphs over several cores, in every mode: each frame gives the bytes of the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from fuzz.device_settings import device_settings
from fuzz.graphs import Case, graphs, grouped
from fuzz.test_chain import lowered
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.disassemble import disassemble
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Simulator
from axir.dialects.base import shape_of
from axir.interp.axq import Interpreter
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module, verify
from axir.ir.printing import print_module
from axir.target.description import Target, load

MODES = {
    "aipu_cores_used": st.integers(2, 4),
    "multicore_mode": st.sampled_from(["batch", "cooperative", "pipeline"]),
    "resources_used": st.just(1.0),
    "use_list_scheduler": st.just(False),
    "use_sysdma": st.just(False),
}
"""The last two are for programs of one core."""


def cores(**instead: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return device_settings(**{**MODES, **instead})


PLAIN = st.fixed_dictionaries({name: MODES[name] for name in ("aipu_cores_used", "multicore_mode")})
REFUSED = ("fit", "each has its own L1", "as many layers")


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Devices with other numbers of cores and weight sets, memories, and bandwidths."""
    target = load(None)
    return replace(
        target,
        device=replace(target.device, cores=draw(st.integers(1, 4))),
        array=replace(target.array, weight_sets=draw(st.sampled_from([1, 2, 4]))),
        l1=replace(target.l1, size=draw(st.sampled_from([60_000, 300_000, target.l1.size])), reserved=4_096),
        l2=replace(
            target.l2,
            size=draw(st.sampled_from([1 << 16, 1 << 20, target.l2.size])), reserved=1 << 12, task_list=1 << 13,
            bandwidth=draw(st.sampled_from([16, 64, 256, 1024])),
        ),
        dma=replace(target.dma, multicast=draw(st.integers(0, 1)), setup=draw(st.sampled_from([0, 200, 5_000]))),
    )  # fmt: skip


def assert_same(case: Case, seed: int, target: Target | None = None, **options: Any) -> None:
    """The simulator accepts the program, and gives the reference's bytes for every frame."""
    graph, store, target = case.graph, case.store, target or load(None)
    image = read_image(build_image(lowered(graph, store, target, **options), store, target), target)
    assert len(image.cores) == options["aipu_cores_used"]
    assert image.mode == options["multicore_mode"]
    assert image.frames == (len(image.cores) if image.mode == "batch" else 1)
    simulator = Simulator(image, target)
    simulator.check()
    rng = np.random.default_rng(seed)
    shapes = [shape_of(value) for value in graph.body.block.args]
    frames = [[rng.integers(-128, 128, s).astype(np.int8) for s in shapes] for _ in range(image.frames)]
    expected = [array for frame in frames for array in Interpreter(graph, store).run(frame)]
    for want, got in zip(expected, simulator.run([array for frame in frames for array in frame]), strict=True):
        np.testing.assert_array_equal(got, want)


def refusal_of(case: Case, seed: int, options: dict[str, Any], target: Target | None = None) -> AxirError | None:
    try:
        assert_same(case, seed, target, **options)
    except AxirError as error:
        event("refused")
        return error
    return None


@given(case=graphs(), seed=st.integers(0, 2**31), options=PLAIN)
def test_every_mode_equals_the_reference(case: Case, seed: int, options: dict[str, Any]) -> None:
    refusal = refusal_of(case, seed, options)
    assert refusal is None or "as many layers" in refusal.message


@given(case=graphs(), seed=st.integers(0, 2**31), options=cores())
def test_with_small_memories_and_settings(case: Case, seed: int, options: dict[str, Any]) -> None:
    refusal = refusal_of(case, seed, options)
    assert refusal is None or (any(text in refusal.message for text in REFUSED) and refusal.notes)


@given(case=grouped(), seed=st.integers(0, 2**31), options=PLAIN)
@settings(max_examples=30)
def test_groups_over_several_pwords(case: Case, seed: int, options: dict[str, Any]) -> None:
    refusal = refusal_of(case, seed, options)
    assert refusal is None or "as many layers" in refusal.message


@given(case=graphs(), seed=st.integers(0, 2**31), options=cores(), target=targets())
def test_on_other_devices(case: Case, seed: int, options: dict[str, Any], target: Target) -> None:
    refusal = refusal_of(case, seed, options, target)
    if options["aipu_cores_used"] > target.device.cores:
        assert refusal is not None
        assert f"has {target.device.cores} cores" in refusal.message
    else:
        assert refusal is None or (any(text in refusal.message for text in REFUSED) and refusal.notes)


@given(case=graphs(), options=cores(l1_constraint=st.none(), l2_constraint=st.none()))
def test_text_and_disassembly_give_the_same_image(case: Case, options: dict[str, Any]) -> None:
    store, target = case.store, load(None)
    try:
        program = lowered(case.graph, store, **options)
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
