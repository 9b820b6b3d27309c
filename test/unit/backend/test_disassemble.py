"""The disassembler and `resolve-addresses` give the same text, and that text gives the same image."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from unit.backend import programs
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import assemble, program_of
from axir.backends.aipu.disassemble import disassemble
from axir.backends.aipu.encode import Wait
from axir.backends.aipu.image import build_image, read_image, write_image
from axir.dialects import aipu
from axir.ir.constants import constant_attr
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module, verify
from axir.ir.printing import print_module
from axir.passes.resolve_addresses import ResolveAddressesPass
from axir.target.description import load

TARGET = load()

# Constants in all memories, one of them used in the middle, tokens that are not needed, units interleaved, attributes.
RICH = """
aipu.program "rich" target "metis" layers [#aipu.layer<"a", "conv", "array", 64>, #aipu.layer<"b", "conv", "array", 0>]
    attributes {bound = {array = 12 : i64, exact = true}, axir = "1.0", scale = 0.5 : f64, list = [1 : i64, "x"]} {
  %unused = aipu.buffer "unused" bytes 64 at 4096 : !aipu.buffer<l2>
  %x = aipu.buffer "x" bytes 640 at 64 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 640 at 704 : !aipu.buffer<l2>
  %late = aipu.buffer "late" bytes 128 at 2048 data dense<7> : tensor<128xi8> : !aipu.buffer<l2>
  %early = aipu.buffer "early" bytes 64 at 0 data dense<-1> : tensor<64xi8> : !aipu.buffer<l2>
  %far = aipu.buffer "far" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %own = aipu.buffer "own" bytes 64 at 1280 data dense<2> : tensor<64xi8> : !aipu.buffer<l1>
  %a = aipu.buffer "a" bytes 640 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 640 at 640 : !aipu.buffer<l1>
  aipu.input "in" %x[0] layout <rows 640, pixels 64, channels [2 at 0, 1 at 32]>
    tensor tensor<1x3x1x10x!axq.q<channels dense<[0.5, 0.25, 2.0]> : tensor<3xf32>
      : dense<[0, -3, 127]> : tensor<3xi32>>> : !aipu.buffer<l2>
  aipu.output "out" %y[0] layout <rows 640, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10x!axq.q<0.5 : 0>>
    : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma1(src = ddr %far[0], dst = l1 %b[0]) {row_bytes = 64} layer 1
    %1 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 640} layer 0
    %2 = aipu.dma on dma0(src = l2 %late[64], dst = l1 %a[64]) {row_bytes = 64} layer 0 after(%0, %1)
    %3 = aipu.vec on depthwise(src = l1 %own[0], out = l1 %b[64]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0,
      x0 = 0, x_step = 0, blocks = 1, rows = 1, vectors = 9, out_pitch = 64, pixels = 9} layer 1 after(%1, %2, %0)
    %4 = aipu.dma on dma1(src = l1 %b[0], dst = l2 %y[0]) {row_bytes = 640} layer 1 after(%3, %2)
  }
}
"""


def resolved(ctx: AxContext, source: str) -> ModuleOp:
    module = parse_module(ctx, source, "p.mlir")
    verify(module)
    ResolveAddressesPass().apply(ctx, module)
    verify(module)
    return module


def text_of(module: ModuleOp, debuginfo: bool = True) -> str:
    return print_module(program_of(module), debuginfo=debuginfo)


SOFTMAX = programs.text(programs.FETCH + programs.softmax() + programs.STORE)


@pytest.mark.parametrize("source", [programs.text(), RICH, SOFTMAX], ids=["copy", "rich", "softmax"])
def test_resolved_programs_are_what_the_image_says(source: str):
    ctx = make_context()
    image = build_image(parse_module(ctx, source, "p.mlir"), ctx.store, TARGET)
    module = resolved(ctx, source)
    assert build_image(module, ctx.store, TARGET) == image
    own = make_context()
    decoded = disassemble(read_image(image, TARGET), own.store)
    verify(decoded)
    assert text_of(decoded) == text_of(module)
    again = parse_module(own, text_of(decoded), "again.mlir")
    verify(again)
    assert build_image(again, own.store, TARGET) == image
    # Resolving changes nothing any more.
    before = text_of(again)
    ResolveAddressesPass().apply(own, again)
    assert text_of(again) == before


def test_the_form_of_a_resolved_program():
    program = program_of(resolved(make_context(), RICH))
    buffers = [(b.label.data, b.memory, b.address, b.bytes, b.data is not None) for b in program.buffers]
    assert buffers == [
        ("l1", "l1", 0, 1344, False),
        ("own", "l1", 1280, 64, True),
        ("l2", "l2", 0, 4160, False),
        ("early", "l2", 0, 64, True),
        ("late", "l2", 2048, 128, True),
        ("far", "ddr", 0, 64, True),
    ]
    (core,) = program.cores
    tasks = list(core.tasks)
    # The least layer first; within it, what can run.
    assert [task.token.name_hint for task in tasks] == ["dma0.0", "dma1.0", "dma0.1", "depthwise.0", "dma1.1"]
    waits = {task.token.name_hint: [other.token.name_hint for other in task.after] for task in tasks}
    # One wait for each other unit, none for the own one.
    assert waits == {
        "dma0.0": [], "dma1.0": [], "dma0.1": ["dma1.0"], "depthwise.0": ["dma0.1", "dma1.0"],
        "dma1.1": ["dma0.1", "depthwise.0"],
    }  # fmt: skip
    places = {task.token.name_hint: [(a.memory, a.offset) for _, a, _ in task.placed] for task in tasks}
    assert places["dma0.1"] == [("l2", 64), ("l1", 64)]
    assert places["depthwise.0"] == [("l1", 0), ("l1", 704)]


def test_large_constants_are_read_from_the_image():
    ctx = make_context()
    data = np.arange(4096, dtype=np.int64).astype(np.int8)
    attribute = str(constant_attr(data, ctx.store))
    buffers = programs.BUFFERS.replace(
        '"c" bytes 128 at 1280 data dense<3> : tensor<128xi8>', f'"c" bytes 4096 at 1280 data {attribute}'
    )
    source = programs.text(buffers=buffers)
    image = build_image(parse_module(ctx, source, "p.mlir"), ctx.store, TARGET)
    own = make_context()
    decoded = disassemble(read_image(image), own.store)
    assert text_of(decoded) == text_of(resolved(ctx, source))
    assert np.array_equal(own.store.get(next(iter(own.store.keys()))), data)


def test_inline_data_of_any_form_ends_in_the_same_form():
    """128 equal bytes may stand inline in a test; the image cannot know that they did."""
    ctx = make_context()
    module = resolved(ctx, programs.text())
    buffer = next(b for b in program_of(module).buffers if b.data is not None)
    assert str(buffer.data).startswith("#ax.weight")


@pytest.mark.parametrize("buffer", ["x", "y", "a", "c"])
def test_buffers_need_addresses(buffer: str):
    lines = programs.BUFFERS.splitlines()
    buffers = "\n".join(
        line.replace(f" at {line.split(' at ')[1].split()[0]}", "") if f'"{buffer}"' in line else line for line in lines
    )
    with pytest.raises(AxirError, match=rf"p.mlir:\d+:\d+: error: buffer '{buffer}' has no address") as caught:
        resolved(make_context(), programs.text(buffers=buffers))
    assert "plan-memory" in caught.value.notes[0]


def test_programs_for_other_targets():
    with pytest.raises(AxirError, match="is for target 'other', not for 'metis'"):
        resolved(make_context(), programs.text().replace('target "metis"', 'target "other"'))


def test_modules_without_a_program():
    with pytest.raises(AxirError, match=r"the module holds no aipu\.program"):
        resolved(make_context(), "builtin.module {}")


def test_attributes_that_no_image_can_keep():
    source = programs.text().replace("target", "target", 1).replace("] {\n", "] attributes {x = !aipu.token} {\n", 1)
    with pytest.raises(AxirError, match="an image cannot keep attribute 'x'"):
        resolved(make_context(), source)


def test_data_must_be_bytes():
    source = programs.text(buffers=programs.BUFFERS.replace("tensor<128xi8>", "tensor<128xui8>"))
    with pytest.raises(AxirError, match="data of buffer 'c' is of type uint8, not int8"):
        resolved(make_context(), source)


def test_ports_must_be_quantized():
    source = programs.text().replace("!axq.q<0.5 : 0>", "i8", 1)
    with pytest.raises(AxirError, match="port 'in' has elements of type i8"):
        resolved(make_context(), source)


def test_waits_between_cores_are_counts():
    more = "aipu.core 1 {\n%k = aipu.dma on dma0(src = l2 %y[0], dst = l1 %a[0]) {row_bytes = 64} layer 1\n}\n"
    image = programs.assembled(programs.text(more=more))
    (task,) = image.cores[1]["dma0"]
    ordered = dataclasses.replace(task, waits=(Wait(0, "dma1", 1),))
    crossed = dataclasses.replace(image, cores=(image.cores[0], {**image.cores[1], "dma0": (ordered,)}))
    context = make_context()
    module = disassemble(crossed, context.store)
    text = print_module(module)
    assert "layer 1 after(core 0 dma1 1)" in text
    again = parse_module(context, text, "again.mlir")
    verify(again)
    assert write_image(assemble(program_of(again), context.store, load())) == write_image(crossed)


def test_tasks_keep_only_their_layer_as_location():
    tasks = [op for op in resolved(make_context(), RICH).walk() if isinstance(op, aipu.TaskOp)]
    names = {str(task.location) for task in tasks}
    assert names == {'loc("a")', 'loc("b")'}
