"""The instruction set: one dataclass a descriptor, one table row a field.

This is AXIR's own instruction set for an AIPU-class device; the vendor's is not public. Encoder, disassembler, the
verifiers of the `aipu` dialect, the simulator and docs/isa.md all read the fields below, so they cannot disagree.

A descriptor is 256 bytes, little endian: a header (opcode, layer, the completion counts it waits for), then the fields
of its class in the order of `fields_of`, each on a byte boundary. A core has six queues (`UNITS`); a queue runs its
descriptors in order, the queues run at the same time. Descriptor n of a queue may start when, for each of its waits,
the named queue has completed at least the given number of descriptors.
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import Any, ClassVar, Literal, cast

DESCRIPTOR_BYTES = 256
HEADER_BYTES = 40
MAX_WAITS = 8
MAX_STEPS = 6
MAX_PARAMETERS = 32
FLT_MAX = float.fromhex("0x1.fffffep127")
PWORD = 64
PARAMETER_BYTES = 4 * PWORD
"""Bytes of a vector of a parameter block: a four-byte number for each of its 64 channels."""
MATRIX_ROWS = 2048
"""Rows of all weight sets together that a descriptor can name; a device has `weight_sets * rows` of them."""
COLUMN_BLOCKS = 8
MAX_NORMALIZED = 1 << 20
"""Values with common statistics: their count times the sum of their squares stays below 2^56."""

UNITS = ("dma0", "dma1", "load", "array", "depthwise", "sysdma")
"""The queues of a core: two copy engines, weight load, matrix array and depthwise unit, each with its vector unit; and
one of the system DMA, which a device has once and which gives every core a queue."""
COPY_UNITS = ("dma0", "dma1", "sysdma")
SYSTEM_DMA = "sysdma"

Memory = Literal["l1", "l2", "ddr"]
MEMORIES: tuple[Memory, ...] = ("l1", "l2", "ddr")
CODE_MEMORIES: tuple[Memory, ...] = ("l2", "ddr")
"""Where descriptors can live: what the control core of every core reaches."""
Mode = Literal["single", "batch", "cooperative", "pipeline"]
MODES: tuple[Mode, ...] = ("single", "batch", "cooperative", "pipeline")
"""How the cores of a program share the work: one core; a frame each, in lock step; parts of every layer of one frame;
or a stage each, so that frames follow each other through the cores (docs/isa.md, section 2)."""
NONE = 0xFF
"""Code of an absent address, and of an immediate in a constant's lane selector."""


@dataclass(frozen=True, slots=True)
class Address:
    """A byte offset in one memory. In `aipu` text before planning it is an offset into a buffer."""

    memory: Memory
    offset: int


@dataclass(frozen=True, slots=True)
class Lane:
    """Parameter vector `index`: one 4-byte number a lane, from the instruction's parameter blocks."""

    index: int


class StepOp(IntEnum):
    """What a vector program step does to register `target` (r0 holds the result)."""

    LOAD = 1  # target <- dequantized tensor operand `index`
    ADD = 2  # target <- target + source
    MUL = 3  # target <- target * source
    MIN = 4  # target <- min(target, source)
    MAX = 5  # target <- max(target, source)
    PRELU = 6  # target <- target < 0 ? target * source : target
    TABLE = 7  # target <- table(target)
    TAPS = 8  # target <- target * reciprocal of the number of taps inside the input
    MOVE = 9  # target <- source


STEP_SOURCES = {StepOp.ADD, StepOp.MUL, StepOp.MIN, StepOp.MAX, StepOp.PRELU, StepOp.MOVE}
REGISTERS = 4


@dataclass(frozen=True, slots=True)
class Register:
    index: int


Source = float | Lane | Register


@dataclass(frozen=True, slots=True)
class VectorStep:
    """One step of a vector program. `source` for the steps in `STEP_SOURCES`, `index` for LOAD."""

    op: StepOp
    target: int = 0
    source: Source | None = None
    index: int = 0


@dataclass(frozen=True)
class FieldInfo:
    """One row of a descriptor table."""

    kind: Literal["int", "float", "enum", "address", "int_const", "float_const", "steps"]
    bits: int
    doc: str
    signed: bool = False
    low: int | None = None
    high: int | None = None
    multiple: int = 1
    names: tuple[str, ...] = ()
    memories: tuple[Memory, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class FieldRow(FieldInfo):
    """A table row with its name, default and byte offset in the descriptor."""

    name: str = ""
    offset: int = 0
    required: bool = True
    default: Any = None


def _field(info: FieldInfo, default: Any = dataclasses.MISSING) -> Any:
    if default is dataclasses.MISSING:
        return field(metadata={"isa": info})
    return field(default=default, metadata={"isa": info})


def _int(
    bits: int, doc: str, *, low: int = 0, high: int | None = None, multiple: int = 1, default: Any = dataclasses.MISSING
) -> Any:
    signed = low < 0
    top = (1 << (bits - signed)) - 1 if high is None else high
    return _field(FieldInfo("int", bits, doc, signed, low, top, multiple), default)


def _float(doc: str, default: Any = dataclasses.MISSING) -> Any:
    return _field(FieldInfo("float", 32, doc), default)


def _enum(doc: str, names: tuple[str, ...], default: Any = dataclasses.MISSING) -> Any:
    return _field(FieldInfo("enum", 8, doc, low=0, high=len(names) - 1, names=names), default)


def _address(doc: str, memories: tuple[Memory, ...] = ("l1",), *, multiple: int = PWORD, optional: bool = False) -> Any:
    info = FieldInfo("address", 40, doc, multiple=multiple, memories=memories, optional=optional)
    return _field(info, None) if optional else _field(info)


def _int_const(doc: str, default: Any) -> Any:
    return _field(FieldInfo("int_const", 40, doc, low=-(1 << 31), high=(1 << 31) - 1), default)


def _float_const(doc: str, default: Any) -> Any:
    return _field(FieldInfo("float_const", 40, doc), default)


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What every descriptor is: an opcode, the queues that take it, and a table of fields."""

    opcode: ClassVar[int]
    mnemonic: ClassVar[str]
    units: ClassVar[tuple[str, ...]]

    def problem(self) -> str | None:
        """A rule between fields that is broken, or None. Called when every field for itself is legal."""
        return None

    def unit_problem(self, unit: str) -> str | None:
        """Why a queue does not take this instruction, or None."""
        return None if unit in self.units else f"runs on {' or '.join(self.units)}, not on '{unit}'"


DMA_COUNTERS = 3
"""Loops of a copy around its rows."""


@dataclass(frozen=True, kw_only=True)
class Dma(Instruction):
    """Copy rows of contiguous bytes, walked by three counters on each side; addresses and steps are of any byte.

    A multicast (`cores` is not 0) reads once and writes the same place in the L1 of each core named.
    """

    opcode: ClassVar[int] = 1
    mnemonic: ClassVar[str] = "dma"
    units: ClassVar[tuple[str, ...]] = COPY_UNITS

    src: Address = _address("first byte read", MEMORIES, multiple=1)
    dst: Address = _address("first byte written", MEMORIES, multiple=1)
    row_bytes: int = _int(32, "bytes of one contiguous row", low=1)
    count0: int = _int(32, "rows (innermost counter)", low=1, default=1)
    count1: int = _int(32, "second counter", low=1, default=1)
    count2: int = _int(32, "third counter (outermost)", low=1, default=1)
    src_step0: int = _int(32, "source bytes from row to row", default=0)
    src_step1: int = _int(32, "source bytes a second count", default=0)
    src_step2: int = _int(32, "source bytes a third count", default=0)
    dst_step0: int = _int(32, "destination bytes from row to row", default=0)
    dst_step1: int = _int(32, "destination bytes a second count", default=0)
    dst_step2: int = _int(32, "destination bytes a third count", default=0)
    cores: int = _int(8, "bit c: write to the L1 of core c; 0: to the core's own", default=0)

    def problem(self) -> str | None:
        if self.cores and (self.src.memory == "l1" or self.dst.memory != "l1"):
            return f"copies from {self.src.memory} to {self.dst.memory}, several cores are fed from l2 or ddr to l1"
        return None

    @property
    def fed_cores(self) -> tuple[int, ...]:
        """The numbers of the cores that a multicast names, ascending."""
        return tuple(core for core in range(self.cores.bit_length()) if self.cores >> core & 1)

    def unit_problem(self, unit: str) -> str | None:
        if unit == SYSTEM_DMA and "l1" in (self.src.memory, self.dst.memory):
            return f"copies from {self.src.memory} to {self.dst.memory}, {SYSTEM_DMA} does not reach l1"
        return super().unit_problem(unit)

    @property
    def by_pword(self) -> bool:
        """Whether it moves whole pwords: then its accesses are counted in them."""
        steps = (self.src_step0, self.src_step1, self.src_step2, self.dst_step0, self.dst_step1, self.dst_step2)
        return not any(number % PWORD for number in (self.src.offset, self.dst.offset, self.row_bytes, *steps))


@dataclass(frozen=True, kw_only=True)
class Load(Instruction):
    """Write weights into the array's weight sets.

    The sets are seen as one matrix: set s is its rows s * array.rows ..., its columns are the array's. The source holds
    `segments * segment_rows` rows of `columns` bytes. For replica k and segment s, its rows go to matrix rows
    row + s * segment_step + k * replica_step ..., columns (block + k * columns / 64) * 64 .... With `clear`, the sets
    from that of the first row to that of the last row written are zeroed first, in the columns of all replicas.
    """

    opcode: ClassVar[int] = 2
    mnemonic: ClassVar[str] = "load"
    units: ClassVar[tuple[str, ...]] = ("load",)

    src: Address = _address("weights, row by row")
    row: int = _int(16, "first matrix row", high=MATRIX_ROWS - 1)
    segment_rows: int = _int(16, "contiguous rows of a segment", low=1, high=MATRIX_ROWS)
    segments: int = _int(16, "segments", low=1, high=MATRIX_ROWS, default=1)
    segment_step: int = _int(16, "matrix rows from segment to segment", high=MATRIX_ROWS, default=0)
    replicas: int = _int(8, "copies placed (in-core replication)", low=1, high=8, default=1)
    replica_step: int = _int(16, "matrix rows from replica to replica", high=MATRIX_ROWS, default=0)
    block: int = _int(8, "first column block of 64", high=COLUMN_BLOCKS - 1, default=0)
    columns: int = _int(16, "columns of one replica", low=64, high=512, multiple=64)
    clear: int = _int(8, "zero the sets first", high=1, default=0)

    @property
    def last_row(self) -> int:
        """The last matrix row written."""
        steps = (self.segments - 1) * self.segment_step + (self.replicas - 1) * self.replica_step
        return self.row + steps + self.segment_rows - 1

    def problem(self) -> str | None:
        if self.last_row >= MATRIX_ROWS:
            return f"writes matrix row {self.last_row}, there are {MATRIX_ROWS}"
        blocks = self.block + self.replicas * self.columns // PWORD
        if blocks > COLUMN_BLOCKS:
            return f"writes column block {blocks - 1}, there are {COLUMN_BLOCKS}"
        if self.segments > 1 and self.segment_step < self.segment_rows:
            return f"has segments of {self.segment_rows} rows that overlap, {self.segment_step} apart"
        return None


@dataclass(frozen=True, kw_only=True)
class Window(Instruction):
    """The input side of the streaming units: an address generator that walks pixels and kernel taps.

    For output row r, vector v and tap (i, j), byte b of pword p < blocks is read from
        y = y0 + r * y_step + i * tap_row_step,  x = x0 + v * x_step + j * tap_step + 64 p + b
    at src + y * row_pitch + x; where y is outside [0, src_rows) or x outside [0, row_bytes) the byte is `pad`.
    """

    src: Address = _address("row 0, byte 0 of the input")
    src_rows: int = _int(16, "rows of the input that exist")
    row_bytes: int = _int(32, "bytes of a row that exist")
    row_pitch: int = _int(32, "bytes from row to row", multiple=PWORD)
    y0: int = _int(32, "input row of output row 0, tap row 0", low=-(1 << 31))
    x0: int = _int(32, "byte in the row of vector 0, tap 0", low=-(1 << 31))
    y_step: int = _int(16, "input rows an output row", default=1)
    x_step: int = _int(32, "input bytes a vector")
    tap_rows: int = _int(16, "kernel rows", low=1, default=1)
    tap_columns: int = _int(16, "kernel columns", low=1, default=1)
    tap_row_step: int = _int(16, "input rows a kernel row (dilation)", default=1)
    tap_step: int = _int(32, "input bytes a kernel column", default=0)
    blocks: int = _int(16, "pwords of a pixel", low=1)
    pad: int = _int(8, "byte read outside the input", low=-128, high=127, default=0)
    rows: int = _int(16, "output rows", low=1)
    vectors: int = _int(16, "vectors an output row", low=1)


@dataclass(frozen=True, kw_only=True)
class VectorProgram(Instruction):
    """The output side: the vector unit's program over one tile, and where it stores.

    For every lane: r0 = f32(accumulator + bias) * scale, then the steps, then
    saturate(round_half_even(r0 * inverse) + zero_point) clamped to [lower, upper] (docs/numerics.md).
    Parameter block p (64 lanes) holds `parameters` vectors of 64 four-byte numbers, at params + p * parameters * 256.
    Pixel q = v * replicas + k of row r (q < pixels) and block p is stored at
    out + r * out_row_pitch + q * out_pitch + 64 p; tensor operands are read in the same way.
    """

    params: Address | None = _address("parameter blocks", optional=True)
    parameters: int = _int(8, "vectors a parameter block", high=MAX_PARAMETERS, default=0)
    bias: int | Lane = _int_const("added to the accumulator", 0)
    scale: float | Lane = _float_const("real value of one accumulator unit", 1.0)
    steps: tuple[VectorStep, ...] = _field(FieldInfo("steps", 64 * MAX_STEPS, "program steps, in order"), ())
    table: Address | None = _address("table of the TABLE steps", optional=True)
    operand0: Address | None = _address("tensor operand 0", optional=True)
    operand0_row_pitch: int = _int(32, "bytes from row to row", multiple=PWORD, default=0)
    operand0_pitch: int = _int(32, "bytes from pixel to pixel (0: broadcast)", multiple=PWORD, default=0)
    operand0_zero: int | Lane = _int_const("zero point", 0)
    operand0_scale: float | Lane = _float_const("scale", 1.0)
    operand1: Address | None = _address("tensor operand 1", optional=True)
    operand1_row_pitch: int = _int(32, "bytes from row to row", multiple=PWORD, default=0)
    operand1_pitch: int = _int(32, "bytes from pixel to pixel (0: broadcast)", multiple=PWORD, default=0)
    operand1_zero: int | Lane = _int_const("zero point", 0)
    operand1_scale: float | Lane = _float_const("scale", 1.0)
    inverse: float | Lane = _float_const("reciprocal of the output scale", 1.0)
    zero_point: int | Lane = _int_const("output zero point", 0)
    lower: int = _int(8, "least byte stored", low=-128, high=127, default=-128)
    upper: int = _int(8, "greatest byte stored", low=-128, high=127, default=127)
    out: Address | None = _address("pixel 0 of row 0", optional=True)
    out_row_pitch: int = _int(32, "bytes from row to row", multiple=PWORD, default=0)
    out_pitch: int = _int(32, "bytes from pixel to pixel", multiple=PWORD, default=0)
    pixels: int = _int(16, "pixels stored in a row", low=1, default=1)

    def program_problem(self, pixels: int, taps: bool = False) -> str | None:
        """What is wrong with the program of an instruction that makes `pixels` a row and may use TAPS steps or not."""
        if self.out is None:
            return "needs out"
        if self.pixels > pixels:
            return f"stores {self.pixels} pixels a row but makes {pixels}"
        if self.lower > self.upper:
            return f"clamps to [{self.lower}, {self.upper}]"
        return self._lane_problem() or self._step_problem(taps)

    def _lane_problem(self) -> str | None:
        if (self.params is None) != (self.parameters == 0):
            return "needs params exactly if parameters is not 0"
        sources = [step.source for step in self.steps]
        sources += [self.bias, self.scale, self.operand0_zero, self.operand0_scale]
        sources += [self.operand1_zero, self.operand1_scale, self.inverse, self.zero_point]
        for source in sources:
            if isinstance(source, Lane) and source.index >= self.parameters:
                return f"uses lane {source.index} of {self.parameters} parameters"
        return None

    def _step_problem(self, taps: bool) -> str | None:
        ops = [step.op for step in self.steps]
        loads = {step.index for step in self.steps if step.op is StepOp.LOAD}
        if (self.table is None) != (StepOp.TABLE not in ops):
            return "needs table exactly if it has a table step"
        for index, operand in enumerate((self.operand0, self.operand1)):
            if (operand is None) != (index not in loads):
                return f"needs operand{index} exactly if it has a load step for it"
        if StepOp.TAPS in ops and not taps:
            return "has a taps step, which only depthwise has"
        written = {0}
        for step in self.steps:
            reads = set[int]() if step.op in (StepOp.LOAD, StepOp.MOVE) else {step.target}
            if isinstance(step.source, Register):
                reads.add(step.source.index)
            if reads - written:
                return f"reads r{min(reads - written)} before it is written"
            written.add(step.target)
        return None


@dataclass(frozen=True, kw_only=True)
class Mvm(VectorProgram, Window):
    """Stream vectors through resident weight sets and accumulate.

    The input vector of an output position is the list of pwords (i, j, p), p < blocks innermost, from number `slot` on,
    matrix_rows / 64 of them; pword n multiplies matrix rows row + 64 n ... The 64 * columns accumulators start from
    `partial_in` (int32, [row][vector][column]) or zero, and go to `partial_out` or to the vector program. With
    replicas, column block c belongs to pixel v * replicas + c div (columns / replicas). `zero` is subtracted from every
    byte of the input vector, padding included.
    """

    opcode: ClassVar[int] = 3
    mnemonic: ClassVar[str] = "mvm"
    units: ClassVar[tuple[str, ...]] = ("array",)

    row: int = _int(16, "first matrix row", high=MATRIX_ROWS - 1, multiple=PWORD)
    matrix_rows: int = _int(16, "matrix rows used", low=64, high=MATRIX_ROWS, multiple=64)
    slot: int = _int(32, "first pword of the kernel walk", default=0)
    block: int = _int(8, "first column block", high=COLUMN_BLOCKS - 1, default=0)
    columns: int = _int(8, "column blocks", low=1, high=COLUMN_BLOCKS)
    replicas: int = _int(8, "pixels a vector", low=1, high=8, default=1)
    partial_in: Address | None = _address("partial sums to start from", optional=True)
    partial_out: Address | None = _address("where partial sums go", optional=True)
    zero: int = _int(8, "subtracted from every input byte", low=-128, high=127, default=0)

    def problem(self) -> str | None:
        walk = self.tap_rows * self.tap_columns * self.blocks
        if self.slot + self.matrix_rows // PWORD > walk:
            return f"walks to pword {self.slot + self.matrix_rows // PWORD} of a kernel of {walk}"
        if self.row + self.matrix_rows > MATRIX_ROWS:
            return f"uses matrix row {self.row + self.matrix_rows - 1}, there are {MATRIX_ROWS}"
        if self.block + self.columns > COLUMN_BLOCKS:
            return f"uses column block {self.block + self.columns - 1}, there are {COLUMN_BLOCKS}"
        if self.columns % self.replicas:
            return f"shares {self.columns} column blocks among {self.replicas} replicas"
        if self.partial_out is None:
            return self.program_problem(self.vectors * self.replicas)
        if self.out is not None or self.params is not None or self.parameters or self.steps:
            return "has partial_out and a vector program"
        return None


@dataclass(frozen=True, kw_only=True)
class Depthwise(VectorProgram, Window):
    """One accumulator a channel over the taps of a window: products with weights, greatest value, or sum.

    Weights are int8, [block][tap][64]. With `pad_lane`, the padding byte of each lane is that parameter vector (hybrid
    quantization).
    """

    opcode: ClassVar[int] = 4
    mnemonic: ClassVar[str] = "depthwise"
    units: ClassVar[tuple[str, ...]] = ("depthwise",)

    mode: str = _enum("what is accumulated", ("mac", "max", "sum"))
    weights: Address | None = _address("weights of mode mac", optional=True)
    pad_lane: int = _int(8, "parameter vector of padding bytes, 255: `pad`", high=255, default=NONE)

    def problem(self) -> str | None:
        if (self.weights is None) != (self.mode != "mac"):
            return "needs weights exactly in mode mac"
        if self.pad_lane != NONE and self.pad_lane >= self.parameters:
            return f"uses lane {self.pad_lane} of {self.parameters} parameters"
        return self.program_problem(self.vectors, taps=True)


@dataclass(frozen=True, kw_only=True)
class Vec(VectorProgram, Window):
    """The vector unit alone: the accumulator is the input byte (a window of one tap)."""

    opcode: ClassVar[int] = 5
    mnemonic: ClassVar[str] = "vec"
    units: ClassVar[tuple[str, ...]] = ("depthwise",)

    def problem(self) -> str | None:
        if self.tap_rows * self.tap_columns != 1:
            return f"has a window of {self.tap_rows} x {self.tap_columns} taps, legal is one"
        return self.program_problem(self.vectors)


@dataclass(frozen=True, kw_only=True)
class Softmax(Instruction):
    """A softmax over the channels of each pixel, on the vector unit of the depthwise unit (docs/isa.md, section 9).

    A pixel is `blocks` pwords, and channel c its byte c; the bytes behind the last channel count as `neutral`. Pixel q
    of row r is read at src + r * row_pitch + q * pitch and stored at out + r * out_row_pitch + q * out_pitch.
    """

    opcode: ClassVar[int] = 6
    mnemonic: ClassVar[str] = "softmax"
    units: ClassVar[tuple[str, ...]] = ("depthwise",)

    src: Address = _address("pixel 0 of row 0 of the input")
    row_pitch: int = _int(32, "input bytes from row to row", multiple=PWORD)
    pitch: int = _int(32, "input bytes from pixel to pixel", multiple=PWORD)
    rows: int = _int(16, "rows", low=1)
    pixels: int = _int(16, "pixels of a row", low=1)
    channels: int = _int(16, "channels, from the first byte of a pixel on", low=1)
    zero: int = _int(8, "zero point of the input", low=-128, high=127, default=0)
    scale: float = _float("scale of the input")
    neutral: float = _float("real value of the lanes behind the last channel")
    table: Address = _address("table of the exponential function")
    inverse: float = _float("reciprocal of the output scale")
    zero_point: int = _int(8, "output zero point", low=-128, high=127, default=0)
    out: Address = _address("pixel 0 of row 0 of the output")
    out_row_pitch: int = _int(32, "output bytes from row to row", multiple=PWORD)
    out_pitch: int = _int(32, "output bytes from pixel to pixel", multiple=PWORD)

    @property
    def blocks(self) -> int:
        """Pwords of a pixel."""
        return -(-self.channels // PWORD)


@dataclass(frozen=True, kw_only=True)
class LoadPixels(Instruction):
    """Write pixels of an activation into the weight sets: pixels become matrix rows, or with `transpose` columns.

    x[p][c] is byte c of pixel p, at src + p * pitch. Whole tiles of 64 x 64 are written, from matrix row `row` and
    column block `block` on: x, and zeros where there is no pixel or no channel.
    """

    opcode: ClassVar[int] = 8
    mnemonic: ClassVar[str] = "load_pixels"
    units: ClassVar[tuple[str, ...]] = ("load",)

    src: Address = _address("channel 0 of pixel 0", multiple=1)
    pitch: int = _int(32, "bytes from pixel to pixel", multiple=PWORD)
    pixels: int = _int(16, "pixels", low=1, high=MATRIX_ROWS)
    channels: int = _int(16, "channels of a pixel", low=1, high=MATRIX_ROWS)
    row: int = _int(16, "first matrix row", high=MATRIX_ROWS - 1, multiple=PWORD)
    block: int = _int(8, "first column block of 64", high=COLUMN_BLOCKS - 1, default=0)
    transpose: int = _int(8, "1: pixels are columns, channels rows; 0: the other way round", high=1, default=0)

    @property
    def row_tiles(self) -> int:
        """Tiles of 64 matrix rows written."""
        return -(-(self.channels if self.transpose else self.pixels) // PWORD)

    @property
    def column_tiles(self) -> int:
        """Column blocks written."""
        return -(-(self.pixels if self.transpose else self.channels) // PWORD)

    def problem(self) -> str | None:
        last_row = self.row + self.row_tiles * PWORD - 1
        if last_row >= MATRIX_ROWS:
            return f"writes matrix row {last_row}, there are {MATRIX_ROWS}"
        last = self.block + self.column_tiles - 1
        if last >= COLUMN_BLOCKS:
            return f"writes column block {last}, there are {COLUMN_BLOCKS}"
        return None


@dataclass(frozen=True, kw_only=True)
class Normalize(Instruction):
    """Subtract the mean and divide by the standard deviation, on the depthwise unit's vector unit (docs/isa.md).

    Statistics are those of each `group` channels of a pixel, or with `spatial` of all pixels. Parameter blocks hold two
    vectors, factor and summand of every channel, at params + p * 512 for block p.
    """

    opcode: ClassVar[int] = 9
    mnemonic: ClassVar[str] = "normalize"
    units: ClassVar[tuple[str, ...]] = ("depthwise",)
    VECTORS: ClassVar[int] = 2

    src: Address = _address("pixel 0 of row 0 of the input")
    row_pitch: int = _int(32, "input bytes from row to row", multiple=PWORD)
    pitch: int = _int(32, "input bytes from pixel to pixel", multiple=PWORD)
    rows: int = _int(16, "rows", low=1)
    pixels: int = _int(16, "pixels of a row", low=1)
    channels: int = _int(16, "channels, from the first byte of a pixel on", low=1)
    group: int = _int(16, "channels with common statistics", low=1)
    spatial: int = _int(8, "1: statistics over all pixels; 0: of each pixel", high=1, default=0)
    zero: int = _int(8, "zero point of the input", low=-128, high=127, default=0)
    epsilon: float = _float("added to the variance, in units of the squared count and scale")
    params: Address = _address("parameter blocks: factor and summand")
    inverse: float = _float("reciprocal of the output scale")
    zero_point: int = _int(8, "output zero point", low=-128, high=127, default=0)
    out: Address = _address("pixel 0 of row 0 of the output")
    out_row_pitch: int = _int(32, "output bytes from row to row", multiple=PWORD)
    out_pitch: int = _int(32, "output bytes from pixel to pixel", multiple=PWORD)

    @property
    def blocks(self) -> int:
        """Pwords of a pixel."""
        return -(-self.channels // PWORD)

    @property
    def count(self) -> int:
        """Values with common statistics."""
        return self.group * (self.rows * self.pixels if self.spatial else 1)

    def problem(self) -> str | None:
        if self.channels % self.group:
            return f"has {self.channels} channels in groups of {self.group}"
        if self.count > MAX_NORMALIZED:
            return f"takes statistics of {self.count} values, legal are at most {MAX_NORMALIZED}"
        if not self.epsilon > 0:
            return f"adds epsilon {self.epsilon}, legal are positive numbers"
        return None


@dataclass(frozen=True, kw_only=True)
class Sync(Instruction):
    """Nothing, once its waits are met: for tasks that wait for more queues than a descriptor has room for."""

    opcode: ClassVar[int] = 7
    mnemonic: ClassVar[str] = "sync"
    units: ClassVar[tuple[str, ...]] = UNITS


INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Dma, Load, Mvm, Depthwise, Vec, Softmax, Sync, LoadPixels, Normalize,
)  # fmt: skip


@cache
def fields_of(kind: type[Instruction]) -> tuple[FieldRow, ...]:
    """The table of a descriptor: its rows in encoding order, with byte offsets."""
    rows: list[FieldRow] = []
    offset = HEADER_BYTES
    for entry in dataclasses.fields(kind):
        info = cast(FieldInfo, entry.metadata["isa"])
        values = {f.name: getattr(info, f.name) for f in dataclasses.fields(FieldInfo)}
        required = entry.default is dataclasses.MISSING
        default = None if required else entry.default
        rows.append(FieldRow(name=entry.name, offset=offset, required=required, default=default, **values))
        offset += info.bits // 8
    if offset > DESCRIPTOR_BYTES:
        raise AssertionError(f"descriptor of {kind.mnemonic} needs {offset} bytes")
    return tuple(rows)


@cache
def addresses_of(kind: type[Instruction]) -> tuple[FieldRow, ...]:
    return tuple(row for row in fields_of(kind) if row.kind == "address")


def check(instruction: Instruction) -> str | None:
    """The first violation of the tables' legal ranges, or of a rule between fields; None if there is none."""
    for row in fields_of(type(instruction)):
        problem = _check_value(row, getattr(instruction, row.name))
        if problem:
            return f"{row.name} {problem}"
    return instruction.problem()


def _check_value(row: FieldRow, value: Any) -> str | None:
    if row.kind == "int" or (row.kind == "int_const" and not isinstance(value, Lane)):
        low, high = cast(int, row.low), cast(int, row.high)
        if not low <= value <= high:
            return f"is {value}, legal are {low} to {high}"
        if value % row.multiple:
            return f"is {value}, legal are multiples of {row.multiple}"
    elif row.kind in ("int_const", "float_const") and isinstance(value, Lane):
        return _check_lane(value)
    elif row.kind in ("float", "float_const"):
        return _check_float(cast(float, value))
    elif row.kind == "enum" and value not in row.names:
        return f"is {value}, legal are {', '.join(row.names)}"
    elif row.kind == "address":
        return _check_address(row, cast("Address | None", value))
    elif row.kind == "steps":
        return _check_steps(cast(tuple[VectorStep, ...], value))
    return None


def _check_lane(lane: Lane) -> str | None:
    return None if 0 <= lane.index < MAX_PARAMETERS else f"names lane {lane.index}, legal are 0 to {MAX_PARAMETERS - 1}"


def _check_float(value: float) -> str | None:
    # abs() first: packing a number beyond the range raises.
    if not abs(value) <= FLT_MAX or struct.unpack("<f", struct.pack("<f", value))[0] != value:
        return f"is {value}, legal are finite binary32 numbers"
    return None


def _check_address(row: FieldRow, value: Address | None) -> str | None:
    if value is None:
        return None if row.optional else "is missing"
    if value.memory not in row.memories:
        return f"is in {value.memory}, legal are {', '.join(row.memories)}"
    if not 0 <= value.offset < 1 << 32 or value.offset % row.multiple:
        return f"has offset {value.offset}, legal are multiples of {row.multiple} below 2^32"
    return None


def _check_steps(steps: tuple[VectorStep, ...]) -> str | None:
    if len(steps) > MAX_STEPS:
        return f"has {len(steps)} steps, legal are at most {MAX_STEPS}"
    for step in steps:
        if not 0 <= step.target < REGISTERS:
            return f"uses register r{step.target}, there are {REGISTERS}"
        if (step.op in STEP_SOURCES) != (step.source is not None):
            return f"has a {step.op.name.lower()} step with{'out' if step.source is None else ''} a source"
        if isinstance(step.source, Register):
            if not 0 <= step.source.index < REGISTERS:
                return f"uses register r{step.source.index}, there are {REGISTERS}"
        elif step.source is not None:
            problem = _check_lane(step.source) if isinstance(step.source, Lane) else _check_float(step.source)
            if problem:
                return f"has a {step.op.name.lower()} step whose source {problem}"
        if step.op is StepOp.LOAD and step.index not in (0, 1):
            return f"loads operand {step.index}, there are two"
        if step.op is not StepOp.LOAD and step.index:
            return f"has a {step.op.name.lower()} step with an operand"
    return None
