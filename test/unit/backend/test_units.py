"""What each instruction does, against the slow device, over random small geometries."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.backend.slow_device import SlowDevice

from axir import numerics
from axir.backends.aipu.accesses import accesses
from axir.backends.aipu.simulator.memory import Core
from axir.backends.aipu.simulator.units import action
from axir.backends.aipu.structure import Image
from axir.backends.aipu.tables import table_image
from axir.target import isa
from axir.target.description import load
from axir.target.isa import (
    Address,
    Depthwise,
    Dma,
    Instruction,
    Lane,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Register,
    Softmax,
    StepOp,
    Vec,
    VectorStep,
)

TARGET = load()
SIZE = 1 << 17
SMALL = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def at(offset: int) -> Address:
    return Address("l1", offset)


def run_both(instruction: Instruction, seed: int, **regions: tuple[int, np.ndarray]) -> None:
    """Run on random memory (with given contents at given offsets) in both models; all bytes must agree."""
    assert isa.check(instruction) is None
    image = Image("p", "metis", "", (), (), (), {"l1": SIZE, "l2": SIZE, "ddr": SIZE}, (), ({},))
    core = Core(image, TARGET, {"l2": np.zeros(SIZE, np.int8), "ddr": np.zeros(SIZE, np.int8)})
    rng = np.random.default_rng(seed)
    for memory in core.memories.values():
        memory[:] = rng.integers(-128, 128, SIZE, np.int8)
    for offset, content in regions.values():
        flat = np.ascontiguousarray(content).view(np.int8).reshape(-1)
        core.memories["l1"][offset : offset + flat.size] = flat
    sets = rng.integers(-128, 128, core.weights.shape, np.int8)
    # Zeros like those of channel padding and replication, in some cases.
    if seed % 2:
        sets[rng.random(len(sets)) < 0.7] = 0
        sets[:, rng.random(sets.shape[1]) < 0.7] = 0
    if seed % 3:
        for block in range(isa.COLUMN_BLOCKS):
            sets[rng.random(len(sets)) < 0.5, block * 64 : block * 64 + 64] = 0
    core.weights[:] = sets
    slow = SlowDevice({name: memory.copy() for name, memory in core.memories.items()}, sets)
    action(instruction, core)()
    slow.run(instruction)
    for name, memory in core.memories.items():
        different = np.flatnonzero(memory != slow.memories[name])
        assert not different.size, (name, different[:4], memory[different[:4]], slow.memories[name][different[:4]])
    assert np.array_equal(core.weights, slow.sets)


@st.composite
def dmas(draw: st.DrawFn) -> Dma:
    counts = [draw(st.integers(1, 3)) for _ in range(3)]
    steps = [draw(st.integers(0, 6)) * 64 for _ in range(3)]
    row = draw(st.integers(1, 3)) * 64
    # Destinations must not overlap: nested steps, each with a gap.
    targets, extent = [], row
    for count in counts:
        targets.append(extent + draw(st.integers(0, 2)) * 64)
        extent += (count - 1) * targets[-1]
    source, target = draw(st.permutations(["l1", "l2", "ddr"]))[:2]
    return Dma(
        src=Address(source, draw(st.integers(0, 9)) * 64), dst=Address(target, draw(st.integers(0, 9)) * 64),
        row_bytes=row, count0=counts[0], count1=counts[1], count2=counts[2],
        src_step0=steps[0], src_step1=steps[1], src_step2=steps[2],
        dst_step0=targets[0], dst_step1=targets[1], dst_step2=targets[2],
    )  # fmt: skip


@SMALL
@given(dmas(), seeds)
def test_dma(instruction: Dma, seed: int):
    run_both(instruction, seed)


@st.composite
def byte_dmas(draw: st.DrawFn) -> Dma:
    """Rows of any length, from and to any byte; a transposition among them."""
    counts = [draw(st.integers(1, 5)) for _ in range(3)]
    row = draw(st.integers(1, 70))
    targets, extent = [], row
    for count in counts:
        targets.append(extent + draw(st.integers(0, 3)))
        extent += (count - 1) * targets[-1]
    order = draw(st.permutations(range(3)))
    steps = [draw(st.integers(0, 90)) for _ in range(3)]
    source, target = draw(st.permutations(["l1", "l2", "ddr"]))[:2]
    fields = {f"count{i}": counts[j] for i, j in enumerate(order)}
    fields |= {f"dst_step{i}": targets[j] for i, j in enumerate(order)}
    fields |= {f"src_step{i}": step for i, step in enumerate(steps)}
    return Dma(
        src=Address(source, draw(st.integers(0, 500))), dst=Address(target, draw(st.integers(0, 500))),
        row_bytes=row, **fields,
    )  # fmt: skip


@SMALL
@given(byte_dmas(), seeds)
def test_dma_of_single_bytes(instruction: Dma, seed: int):
    run_both(instruction, seed)


@SMALL
@given(byte_dmas())
def test_accesses_of_single_bytes(instruction: Dma):
    """The masks name exactly the bytes that the slow device reads and writes."""
    d = instruction
    rows = list(itertools.product(range(d.count0), range(d.count1), range(d.count2), range(d.row_bytes)))
    for access in accesses(instruction, TARGET):
        steps = [getattr(d, f"{access.role}_step{n}") for n in range(3)]
        start = getattr(d, access.role).offset
        named = [start + i * steps[0] + j * steps[1] + k * steps[2] + b for i, j, k, b in rows]
        found: set[int] = set()
        for region in access.regions:
            masks = np.broadcast_to(access.masks(region), [count for count, _ in region.dimensions]).reshape(-1)
            for position, mask in enumerate(masks.tolist()):
                found |= {region.granule(position) * 64 + b for b in range(64) if mask >> b & 1}
            assert all(masks), "a region holds no granule in vain"
        assert found == set(named)
        if access.bytes is not None:
            assert access.bytes.repeats == (len(named) != len(found)) or not access.write


@st.composite
def loads(draw: st.DrawFn) -> Load:
    columns = draw(st.sampled_from([64, 128, 192]))
    replicas = draw(st.integers(1, 8 // (columns // 64)))
    segments, rows = draw(st.integers(1, 3)), draw(st.integers(1, 70))
    return Load(
        src=at(640), row=draw(st.integers(0, 1200)), segment_rows=rows, segments=segments,
        segment_step=draw(st.integers(rows, rows + 90)), replicas=replicas, replica_step=draw(st.integers(0, 64)),
        block=draw(st.integers(0, 8 - replicas * columns // 64)), columns=columns, clear=draw(st.integers(0, 1)),
    )  # fmt: skip


@SMALL
@given(loads(), seeds)
def test_load(instruction: Load, seed: int):
    run_both(instruction, seed)


@st.composite
def pixel_loads(draw: st.DrawFn) -> LoadPixels:
    pixels, channels = (draw(st.one_of(st.integers(1, 200), st.sampled_from([64, 128]))) for _ in range(2))
    transpose = draw(st.integers(0, 1))
    rows, columns = (-(-n // 64) for n in ((channels, pixels) if transpose else (pixels, channels)))
    return LoadPixels(
        src=at(draw(st.integers(0, 300))), pitch=draw(st.integers(0, 5)) * 64, pixels=pixels, channels=channels,
        row=draw(st.integers(0, 32 - rows)) * 64, block=draw(st.integers(0, 8 - columns)), transpose=transpose,
    )  # fmt: skip


@SMALL
@given(pixel_loads(), seeds)
def test_load_pixels(instruction: LoadPixels, seed: int):
    run_both(instruction, seed)


@SMALL
@given(pixel_loads())
def test_accesses_of_load_pixels(instruction: LoadPixels):
    """Every pword that holds a byte which is read, and the whole tiles that are written."""
    d = instruction
    read, written = accesses(d, TARGET)
    touched = {r.granule(i) for r in read.regions for i in range(math.prod(n for n, _ in r.dimensions))}
    assert touched == {(d.src.offset + p * d.pitch + c) // 64 for p in range(d.pixels) for c in range(d.channels)}
    rows, columns = (-(-n // 64) for n in ((d.channels, d.pixels) if d.transpose else (d.pixels, d.channels)))
    (region,) = written.regions
    tiles = {region.granule(i) for i in range(math.prod(n for n, _ in region.dimensions))}
    assert tiles == {(d.row + row) * 8 + d.block + block for row in range(64 * rows) for block in range(columns)}


@st.composite
def normalizations(draw: st.DrawFn) -> Normalize:
    channels = draw(st.sampled_from([1, 4, 63, 64, 66, 130, 192]))
    group = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    width = -(-channels // 64) * 64
    rows, pixels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pitch, out_pitch = (width + draw(st.sampled_from([0, 64])) for _ in range(2))
    return Normalize(
        src=at(64), row_pitch=pitch * pixels + draw(st.sampled_from([0, 64])), pitch=pitch, rows=rows, pixels=pixels,
        channels=channels, group=group, spatial=draw(st.integers(0, 1)), zero=draw(st.integers(-128, 127)),
        epsilon=draw(st.sampled_from([2.0**-30, 0.5, 4096.0, 2.0**50])), params=at(BASE["params"]),
        inverse=draw(st.sampled_from([16.0, 60.5])), zero_point=draw(st.integers(-128, 127)),
        out=at(BASE["out"]), out_row_pitch=out_pitch * pixels + draw(st.sampled_from([0, 64])), out_pitch=out_pitch,
    )  # fmt: skip


@SMALL
@given(normalizations(), seeds)
def test_normalize(instruction: Normalize, seed: int):
    values = np.random.default_rng(seed).uniform(-2, 2, (instruction.blocks, 2, 64)).astype(np.float32)
    run_both(instruction, seed, params=(BASE["params"], values))


@SMALL
@given(normalizations())
def test_accesses_of_normalize(instruction: Normalize):
    """Whole pwords of every pixel, and the parameter blocks."""
    n = instruction
    walks = {"src": (n.src, n.row_pitch, n.pitch), "out": (n.out, n.out_row_pitch, n.out_pitch)}
    for access in accesses(n, TARGET):
        touched = sorted(region.granule(i) for region in access.regions for i in range(region.view(GRANULES).size))
        if access.role == "params":
            assert touched == list(range(BASE["params"] // 64, BASE["params"] // 64 + 8 * n.blocks))
            continue
        base, row_pitch, pitch = walks[access.role]
        offsets = (base.offset + r * row_pitch + q * pitch for r in range(n.rows) for q in range(n.pixels))
        assert touched == sorted(offset // 64 + p for offset in offsets for p in range(n.blocks))


def windows(draw: st.DrawFn, blocks: int, taps: bool = True) -> dict:
    """A window over an input of up to 5 x 10 pwords at offset 0, that may reach outside of it, aligned or not."""
    unit = draw(st.sampled_from([1, 4, 64, 64, 64 * blocks, 64 * blocks]))
    return {
        "src": at(0), "src_rows": draw(st.integers(0, 5)), "row_bytes": draw(st.integers(0, 10 * 64 // unit)) * unit,
        "row_pitch": 10 * 64, "y0": draw(st.integers(-3, 3)),
        "x0": draw(st.integers(-3 * 64 // unit, 200 // unit)) * unit,
        "y_step": draw(st.integers(0, 2)), "x_step": draw(st.integers(0, 256 // unit)) * unit,
        "tap_rows": draw(st.integers(1, 3)) if taps else 1, "tap_columns": draw(st.integers(1, 3)) if taps else 1,
        "tap_row_step": draw(st.integers(0, 2)), "tap_step": draw(st.integers(0, 192 // unit)) * unit,
        "blocks": blocks, "pad": draw(st.integers(-128, 127)),
        "rows": draw(st.integers(1, 3)), "vectors": draw(st.integers(1, 3)),
    }  # fmt: skip


BASE = {"params": 16384, "table": 32768, "operand0": 49152, "operand1": 57344, "out": 65536, "partial": 81920}
finite = st.floats(-4, 4, width=32)


def programs(draw: st.DrawFn, blocks: int, pixels: int, typical: int, taps: bool = False) -> tuple[dict, dict]:
    """Fields of a vector program and the contents of its parameter blocks.

    Accumulators of magnitude `typical` give values of a few units and bytes that are mostly not saturated.
    """
    vectors: list[np.ndarray] = []
    rng = np.random.default_rng(draw(seeds))

    def integer(low: int, high: int):
        if draw(st.booleans()):
            return draw(st.integers(low, high))
        vectors.append(rng.integers(low, high, (blocks, 64), np.int32, endpoint=True))
        return Lane(len(vectors) - 1)

    def real(low: float, high: float):
        if draw(st.booleans()):
            return draw(st.floats(low, high, width=32))
        vectors.append(rng.uniform(low, high, (blocks, 64)).astype(np.float32))
        return Lane(len(vectors) - 1)

    steps: list[VectorStep] = []
    kinds = [op for op in StepOp if op is not StepOp.TAPS or taps]
    ready = {0}
    for _ in range(draw(st.integers(0, isa.MAX_STEPS))):
        op = draw(st.sampled_from(kinds))
        written = op in (StepOp.LOAD, StepOp.MOVE)
        target = draw(st.sampled_from(range(isa.REGISTERS) if written else sorted(ready)))
        source = None
        if op in isa.STEP_SOURCES:
            register = st.sampled_from(sorted(ready)).map(Register)
            source = draw(st.one_of(finite, register, st.just(None)))
            source = real(-4, 4) if source is None else source
        steps.append(VectorStep(op, target, source, draw(st.integers(0, 1)) if op is StepOp.LOAD else 0))
        ready.add(target)
    lower, upper = draw(st.sampled_from([(-128, 127), (-128, 127), (-20, 127), (-100, 30), (5, 5)]))
    unit = 2.0 ** -math.floor(math.log2(typical))
    most = draw(st.sampled_from([typical, typical, 2**24 + 5]))
    fields = {
        "bias": integer(-most, most), "scale": real(2 * unit, 8 * unit), "steps": tuple(steps),
        "inverse": real(4, 16), "zero_point": integer(-20, 20), "lower": lower, "upper": upper,
        "out": at(BASE["out"]), "pixels": pixels,
    }  # fmt: skip
    for index in range(2):
        if any(step.op is StepOp.LOAD and step.index == index for step in steps):
            fields |= {
                f"operand{index}": at(BASE[f"operand{index}"]), f"operand{index}_zero": integer(-128, 127),
                f"operand{index}_scale": real(0.015625, 0.0625),
                f"operand{index}_pitch": draw(st.sampled_from([0, 64 * blocks, 64 * blocks + 64])),
                f"operand{index}_row_pitch": draw(st.sampled_from([0, 1024])),
            }  # fmt: skip
    regions = {}
    fields["out_pitch"] = 64 * blocks + draw(st.sampled_from([0, 64]))
    fields["out_row_pitch"] = fields["out_pitch"] * pixels + draw(st.sampled_from([0, 64]))
    if any(step.op is StepOp.TABLE for step in steps):
        fields["table"] = at(BASE["table"])
        name = draw(st.sampled_from(list(numerics.FUNCTIONS)))
        regions["table"] = BASE["table"], table_image(numerics.table(name))
    if vectors:
        fields |= {"params": at(BASE["params"]), "parameters": len(vectors)}
        image = np.stack([vector.view(np.uint32) for vector in vectors], axis=1)
        regions["params"] = BASE["params"], image
    return fields, regions


@st.composite
def vecs(draw: st.DrawFn) -> tuple[Vec, dict]:
    blocks = draw(st.integers(1, 2))
    window = windows(draw, blocks, taps=False)
    fields, regions = programs(draw, blocks, draw(st.integers(1, window["vectors"])), 64)
    return Vec(**window, **fields), regions


@SMALL
@given(vecs(), seeds)
def test_vec(case: tuple[Vec, dict], seed: int):
    run_both(case[0], seed, **case[1])


@st.composite
def depthwises(draw: st.DrawFn) -> tuple[Depthwise, dict]:
    blocks = draw(st.integers(1, 2))
    window = windows(draw, blocks)
    mode = draw(st.sampled_from(["mac", "max", "sum"]))
    typical = {"mac": 8192, "max": 64, "sum": 128}[mode]
    fields, regions = programs(draw, blocks, draw(st.integers(1, window["vectors"])), typical, taps=True)
    fields |= {"mode": mode, "weights": at(98304) if mode == "mac" else None}
    if draw(st.booleans()):
        # A further parameter vector with a padding byte for each lane.
        pads = np.random.default_rng(draw(seeds)).integers(-128, 128, (blocks, 1, 64), np.int32).view(np.uint32)
        image = np.concatenate([regions["params"][1], pads], axis=1) if "params" in regions else pads
        regions["params"] = BASE["params"], image
        fields |= {"params": at(BASE["params"]), "parameters": image.shape[1], "pad_lane": image.shape[1] - 1}
    return Depthwise(**window, **fields), regions


@SMALL
@given(depthwises(), seeds)
def test_depthwise(case: tuple[Depthwise, dict], seed: int):
    run_both(case[0], seed, **case[1])


@st.composite
def softmaxes(draw: st.DrawFn) -> Softmax:
    channels = draw(st.sampled_from([1, 5, 63, 64, 65, 130, 192]))
    width = -(-channels // 64) * 64
    rows, pixels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pitch, out_pitch = (width + draw(st.sampled_from([0, 64])) for _ in range(2))
    return Softmax(
        src=at(64), row_pitch=pitch * pixels + draw(st.sampled_from([0, 64])), pitch=pitch, rows=rows, pixels=pixels,
        channels=channels, zero=draw(st.integers(-128, 127)), scale=draw(st.sampled_from([2**-6, 0.25, 4.0])),
        neutral=draw(st.sampled_from([-1e5, -9.0, 0.0, 3.25, 1e5])), table=at(BASE["table"]),
        inverse=draw(st.sampled_from([256.0, 100.5])), zero_point=draw(st.integers(-128, 127)),
        out=at(BASE["out"]), out_row_pitch=out_pitch * pixels + draw(st.sampled_from([0, 64])), out_pitch=out_pitch,
    )  # fmt: skip


EXPONENTIAL = {"table": (BASE["table"], table_image(numerics.exponential()))}


@SMALL
@given(softmaxes(), seeds)
def test_softmax(instruction: Softmax, seed: int):
    run_both(instruction, seed, **EXPONENTIAL)


def test_softmax_over_more_rows_than_are_worked_on_at_a_time():
    fields = {"row_pitch": 8192, "pitch": 64, "out_row_pitch": 8192, "out_pitch": 64}
    instruction = Softmax(
        src=Address("l1", 0), rows=2, pixels=100, channels=3, scale=0.0625, neutral=-1e5, table=at(BASE["table"]),
        inverse=256.0, zero_point=-128, out=at(BASE["out"]), **fields,
    )  # fmt: skip
    run_both(instruction, 3, **EXPONENTIAL)


@SMALL
@given(softmaxes())
def test_accesses_of_softmax(instruction: Softmax):
    """Whole pwords of every pixel, and the table."""
    s = instruction
    walks = {"src": (s.src, s.row_pitch, s.pitch), "out": (s.out, s.out_row_pitch, s.out_pitch)}
    for access in accesses(s, TARGET):
        touched = sorted(region.granule(i) for region in access.regions for i in range(region.view(GRANULES).size))
        if access.role == "table":
            assert touched == list(range(BASE["table"] // 64, (BASE["table"] + 8384) // 64))
            continue
        address, row_pitch, pitch = walks[access.role]
        places = itertools.product(range(s.rows), range(s.pixels), range(s.blocks))
        assert touched == sorted((address.offset + r * row_pitch + q * pitch) // 64 + p for r, q, p in places)
        assert access.write == (access.role == "out")


GRANULES = np.zeros(SIZE // 64, np.int8)


@st.composite
def mvms(draw: st.DrawFn) -> tuple[Mvm, dict]:
    window = windows(draw, draw(st.integers(1, 3)))
    walk = window["tap_rows"] * window["tap_columns"] * window["blocks"]
    slot = draw(st.integers(0, walk - 1))
    pwords = draw(st.integers(1, walk - slot))
    replicas = draw(st.integers(1, 3))
    width = draw(st.integers(1, 8 // replicas if replicas > 2 else 2))
    columns = replicas * min(width, 2)
    array = {
        "row": draw(st.sampled_from([0, 512])), "matrix_rows": pwords * 64, "slot": slot, "columns": columns,
        "replicas": replicas, "block": draw(st.integers(0, 8 - columns)),
        "partial_in": at(BASE["partial"]) if draw(st.booleans()) else None,
        "zero": draw(st.sampled_from([0, 0, -128, 127, 5])),
    }  # fmt: skip
    regions = {}
    size = window["rows"] * window["vectors"] * columns * 64
    sums = np.random.default_rng(draw(seeds)).integers(-(2**16), 2**16, size, np.int32)
    if draw(st.integers(0, 3)) == 0:
        in_place = draw(st.booleans())
        array["partial_out"] = at(BASE["partial"] + (0 if in_place else 4 * size))
        return Mvm(**window, **array), {"partial": (BASE["partial"], sums)}
    pixels = draw(st.integers(1, window["vectors"] * replicas))
    fields, regions = programs(draw, columns // replicas, pixels, 2**16)
    return Mvm(**window, **array, **fields), {**regions, "partial": (BASE["partial"], sums)}


@SMALL
@given(mvms(), seeds)
def test_mvm(case: tuple[Mvm, dict], seed: int):
    run_both(case[0], seed, **case[1])


def test_accumulators_beyond_binary32_are_exact():
    # All 2048 rows with the greatest products: 2^25, an odd number of them short of it.
    window = {
        "src": at(0), "src_rows": 1, "row_bytes": 2048, "row_pitch": 2048, "y0": 0, "x0": 0, "x_step": 0, "blocks": 32,
        "rows": 1, "vectors": 1,
    }  # fmt: skip
    instruction = Mvm(**window, row=0, matrix_rows=2048, columns=1, partial_out=at(4096))
    image = Image("p", "metis", "", (), (), (), {"l1": SIZE}, (), ({},))
    core = Core(image, TARGET, {"l2": np.zeros(SIZE, np.int8), "ddr": np.zeros(SIZE, np.int8)})
    core.weights[:, :] = -128
    core.memories["l1"][:2048] = -128
    core.memories["l1"][2047], core.weights[2047, :] = 1, 1
    action(instruction, core)()
    assert core.block(at(4096), (64,), np.int32).tolist() == [2047 * 16384 + 1] * 64


def test_bias_beyond_binary32_is_added_exactly():
    fields = {"src": at(0), "src_rows": 1, "row_bytes": 64, "row_pitch": 64, "y0": 0, "x0": 0, "x_step": 0, "blocks": 1}
    instruction = Vec(
        **fields, rows=1, vectors=1, bias=2**24 + 1, steps=(VectorStep(StepOp.ADD, 0, -float(2**24)),), out=at(64)
    )
    # The bias is no binary32 number, some of the sums are.
    run_both(instruction, 0, x=(0, np.arange(-32, 32, dtype=np.int8)))


@pytest.mark.parametrize("bins", [1, 1024])
def test_table_image_round_trip(bins: int):
    from axir.backends.aipu.tables import read_table

    rng = np.random.default_rng(bins)
    numbers = rng.normal(size=(2, bins + 2)).astype(np.float32)
    table = numerics.Table("t", -2.5, 8, bins, numbers[0], numbers[1], 0.0)
    again = read_table(table_image(table))
    assert (again.start, again.per_unit, again.bins) == (-2.5, 8, bins)
    assert np.array_equal(again.intercept, numbers[0])
    assert np.array_equal(again.slope, numbers[1])
