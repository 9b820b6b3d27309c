"""Small hand-written programs for tests."""

from __future__ import annotations

from axir.backends.aipu.assemble import assemble, program_of
from axir.backends.aipu.structure import Image
from axir.ir.context import AxContext, make_context
from axir.ir.parsing import parse_module, verify
from axir.target.description import Target, load

LAYERS = '[#aipu.layer<"first", "conv", "array", 64>, #aipu.layer<"second", "vec", "depthwise", 0>]'

BUFFERS = """
  %x = aipu.buffer "x" bytes 640 at 0 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 640 at 640 : !aipu.buffer<l2>
  %c = aipu.buffer "c" bytes 128 at 1280 data dense<3> : tensor<128xi8> : !aipu.buffer<l2>
  %d = aipu.buffer "d" bytes 4096 at 0 : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 2048 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 65536 at 2048 : !aipu.buffer<l1>
"""

TENSOR = "layout <rows 640, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10x!axq.q<0.5 : 0>>"
INPUT = f'aipu.input "in" %x[0] {TENSOR} : !aipu.buffer<l2>\n'
OUTPUT = f'aipu.output "out" %y[0] {TENSOR} : !aipu.buffer<l2>\n'

FETCH = "%fetch = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 640} layer 0\n"
STORE = "%store = aipu.dma on dma1(src = l1 %b[0], dst = l2 %y[0]) {row_bytes = 640} layer 1 after(%copy)\n"

WINDOW = (
    "src_rows = 1, row_bytes = 640, row_pitch = 640, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 10"
)
RESULT = "pixels = 10, out_row_pitch = 640, out_pitch = 64"
COPY = f"%copy = aipu.vec on depthwise(src = l1 %a[0], out = l1 %b[0]) {{{WINDOW}, {RESULT}}} layer 1 after(%fetch)\n"


def softmax(table: str = "%b[16384]", out: str = "%b[0]", after: str = "%fetch") -> str:
    """A softmax over 40 channels of the ten pixels, as %copy."""
    fields = "row_pitch = 640, pitch = 64, rows = 1, pixels = 10, channels = 40, zero = -3, scale = 0.1, "
    fields += "neutral = -100000.0, inverse = 256.0, zero_point = -128, out_row_pitch = 640, out_pitch = 64"
    places = f"src = l1 %a[0], table = l1 {table}, out = l1 {out}"
    return f"%copy = aipu.softmax on depthwise({places}) {{{fields}}} layer 1 after({after})\n"


def text(
    tasks: str = FETCH + COPY + STORE,
    *,
    buffers: str = BUFFERS,
    ports: str = INPUT + OUTPUT,
    more: str = "",
    control: bool = False,
) -> str:
    """A program of one core (and `more` cores) that by default copies its input through the vector unit.

    With `control`, control cores dispatch its tasks.
    """
    layers = f"{LAYERS} control_dispatch" if control else LAYERS
    return f'aipu.program "main" target "metis" layers {layers} {{{buffers}{ports}aipu.core 0 {{\n{tasks}}}\n{more}}}\n'


def assembled(source: str, target: Target | None = None, context: AxContext | None = None) -> Image:
    ctx = context or make_context()
    module = parse_module(ctx, source, "program.mlir")
    verify(module)
    return assemble(program_of(module), ctx.store, target or load())
