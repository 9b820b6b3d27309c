"""Descriptors: every legal value survives encoding, everything else is refused by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axir.backends.aipu.encode import MAX_COUNT, Wait, decode_task, encode_task
from axir.ir.diagnostics import AxirError
from axir.target import isa
from axir.target.isa import (
    Address,
    Depthwise,
    Dma,
    FieldRow,
    Instruction,
    Lane,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Register,
    Softmax,
    StepOp,
    Sync,
    Vec,
    VectorStep,
)

L1 = Address("l1", 64)
WINDOW = {
    "src": L1, "src_rows": 1, "row_bytes": 64, "row_pitch": 64, "y0": 0, "x0": 0, "x_step": 0, "blocks": 2, "rows": 1,
    "vectors": 1,
}  # fmt: skip
BASES: list[Instruction] = [
    Dma(src=L1, dst=Address("ddr", 0), row_bytes=64),
    Load(src=L1, row=0, segment_rows=1, columns=64),
    Mvm(**WINDOW, row=0, matrix_rows=64, columns=1, out=L1),
    Mvm(**WINDOW, row=0, matrix_rows=64, columns=1, partial_out=L1),
    Depthwise(**WINDOW, mode="max", out=L1),
    Depthwise(**WINDOW, mode="mac", weights=L1, params=L1, parameters=4, out=L1),
    Vec(**WINDOW, out=L1, params=L1, parameters=isa.MAX_PARAMETERS),
    Vec(
        **WINDOW, out=L1, table=L1, operand0=L1, operand1=L1,
        steps=(
            VectorStep(StepOp.LOAD, 0, None, 0), VectorStep(StepOp.LOAD, 1, None, 1),
            VectorStep(StepOp.ADD, 0, Register(1)), VectorStep(StepOp.TABLE, 1),
        ),
    ),
    Softmax(
        src=L1, row_pitch=64, pitch=64, rows=1, pixels=1, channels=3, scale=0.5, neutral=-9.0, table=L1, inverse=256.0,
        out=L1, out_row_pitch=64, out_pitch=64,
    ),
    LoadPixels(src=Address("l1", 3), pitch=64, pixels=1, channels=1, row=0),
    Normalize(
        src=L1, row_pitch=64, pitch=64, rows=1, pixels=1, channels=4, group=2, epsilon=0.5, params=L1, inverse=2.0,
        out=L1, out_row_pitch=64, out_pitch=64,
    ),
    Sync(),
    Dma(src=Address("l2", 3), dst=L1, row_bytes=1, cores=0b1011),
]  # fmt: skip
KINDS = [type(base) for base in BASES]

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
lanes = st.integers(0, isa.MAX_PARAMETERS - 1).map(Lane)


def steps() -> st.SearchStrategy[VectorStep]:
    target = st.integers(0, 1)
    sources = st.one_of(floats, lanes, st.integers(0, 1).map(Register))
    return st.one_of(
        st.builds(lambda t, i: VectorStep(StepOp.LOAD, t, None, i), target, st.integers(0, 1)),
        st.builds(VectorStep, st.sampled_from(sorted(isa.STEP_SOURCES)), target, sources),
        st.builds(VectorStep, st.sampled_from([StepOp.TABLE, StepOp.TAPS]), target),
    )


def values(row: FieldRow) -> st.SearchStrategy[Any]:
    """Every value that the row's table allows."""
    match row.kind:
        case "int":
            assert row.low is not None
            assert row.high is not None
            least, most = -(-row.low // row.multiple), row.high // row.multiple
            ends = st.sampled_from([least, most])
            return st.one_of(ends, st.integers(least, most)).map(lambda n: n * row.multiple)
        case "enum":
            return st.sampled_from(row.names)
        case "address":
            top = ((1 << 32) - 1) // row.multiple
            place = st.builds(
                Address, st.sampled_from(row.memories), st.integers(0, top).map(lambda n: n * row.multiple)
            )
            return st.one_of(st.none(), place) if row.optional else place
        case "int_const":
            return st.one_of(st.integers(-(2**31), 2**31 - 1), lanes)
        case "float":
            return floats
        case "float_const":
            return st.one_of(floats, lanes)
        case "steps":
            return st.lists(steps(), max_size=isa.MAX_STEPS).map(tuple)


@st.composite
def instructions(draw: st.DrawFn) -> Instruction:
    """An instruction with several fields changed to any values that the rules between fields allow."""
    instruction = draw(st.sampled_from(BASES))
    rows = isa.fields_of(type(instruction))
    for row in draw(st.lists(st.sampled_from(rows), max_size=12)) if rows else ():
        changed = dataclasses.replace(instruction, **{row.name: draw(values(row))})
        instruction = changed if isa.check(changed) is None else instruction
    return instruction


@st.composite
def waits(draw: st.DrawFn) -> tuple[Wait, ...]:
    places = draw(st.sets(st.tuples(st.integers(0, 31), st.integers(0, 4)), max_size=isa.MAX_WAITS))
    return tuple(Wait(core, isa.UNITS[unit], draw(st.integers(1, MAX_COUNT))) for core, unit in sorted(places))


@settings(max_examples=200, deadline=None)
@given(instructions(), waits(), st.integers(0, 2**16 - 1))
def test_round_trip(instruction: Instruction, awaited: tuple[Wait, ...], layer: int):
    data = encode_task(instruction, awaited, layer)
    assert len(data) == isa.DESCRIPTOR_BYTES
    assert decode_task(data) == (instruction, awaited, layer)


@pytest.mark.parametrize("kind", isa.INSTRUCTIONS)
def test_every_bound_of_every_field(kind: type[Instruction]):
    """The ends of a legal range are taken, unless a rule between fields says no; beyond them the field is named."""
    base = BASES[KINDS.index(kind)]
    for row in isa.fields_of(kind):
        if row.kind != "int":
            continue
        assert row.low is not None
        assert row.high is not None
        for value in (row.low, row.high - row.high % row.multiple):
            changed = dataclasses.replace(base, **{row.name: value})
            if isa.check(changed) is None:
                assert decode_task(encode_task(changed, (), 0))[0] == changed
            else:
                # A rule between fields, not the range.
                assert f"{row.name} is {value}" not in str(isa.check(changed))
        outside = [row.low - row.multiple, row.high + 1]
        for value in outside + ([row.low + 1] if row.multiple > 1 else []):
            with pytest.raises(AxirError, match=rf"^error: {kind.mnemonic}: {row.name} is {value}, legal are"):
                encode_task(dataclasses.replace(base, **{row.name: value}), (), 0)


def changed(base: Instruction, **fields: Any) -> Instruction:
    return dataclasses.replace(base, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"src": None}, "src is missing"),
        ({"src": Address("l2", 0)}, "src is in l2, legal are l1"),
        ({"src": Address("l1", 32)}, "src has offset 32"),
        ({"src": Address("l1", 1 << 32)}, "src has offset 4294967296"),
        ({"bias": 2**31}, "bias is 2147483648"),
        ({"bias": Lane(32)}, "bias names lane 32"),
        ({"scale": 0.1}, "scale is 0.1, legal are finite binary32"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"scale": float("inf")}, "scale is inf"),
        ({"scale": 1e300}, "scale is 1e\\+300"),
        ({"steps": (VectorStep(StepOp.MAX, 0, 0.0),) * 7}, "steps has 7 steps"),
        ({"steps": (VectorStep(StepOp.MAX, 4, 0.0),)}, "steps uses register r4"),
        ({"steps": (VectorStep(StepOp.MAX, 0, Register(4)),)}, "steps uses register r4"),
        ({"steps": (VectorStep(StepOp.MAX, 0),)}, "steps has a max step without a source"),
        ({"steps": (VectorStep(StepOp.TABLE, 0, 1.0),)}, "steps has a table step with a source"),
        ({"steps": (VectorStep(StepOp.LOAD, 1, None, 2),)}, "steps loads operand 2"),
        ({"steps": (VectorStep(StepOp.TABLE, 0, None, 1),)}, "steps has a table step with an operand"),
        ({"steps": (VectorStep(StepOp.ADD, 0, 0.1),)}, "steps has a add step whose source is 0.1"),
        ({"mode": "min"}, "mode is min, legal are mac, max, sum"),
    ],
)
def test_illegal_values_are_named(fields: dict[str, Any], message: str):
    base = BASES[KINDS.index(Depthwise)]
    with pytest.raises(AxirError, match=f"depthwise: {message}"):
        encode_task(changed(base, **fields), (), 0)


@pytest.mark.parametrize(
    ("awaited", "layer", "message"),
    [
        ((), 1 << 16, "layer is 65536"),
        ((), -1, "layer is -1"),
        ((Wait(0, "dma0", 0),), 0, "waits for 0 descriptors"),
        ((Wait(0, "dma0", 1 << 24),), 0, "waits for 16777216 descriptors"),
        ((Wait(0, "dma2", 1),), 0, "waits for 'dma2' of core 0"),
        ((Wait(32, "dma0", 1),), 0, "waits for 'dma0' of core 32"),
        ((Wait(0, "load", 1), Wait(0, "dma0", 1)), 0, "not in the order"),
        ((Wait(0, "load", 1), Wait(0, "load", 2)), 0, "not in the order"),
        (tuple(Wait(core, "load", 1) for core in range(9)), 0, "has 9 waits"),
    ],
)
def test_illegal_headers(awaited: tuple[Wait, ...], layer: int, message: str):
    with pytest.raises(AxirError, match=message):
        encode_task(BASES[0], awaited, layer)


def offset_of(kind: type[Instruction], name: str) -> int:
    return next(row.offset for row in isa.fields_of(kind) if row.name == name)


@pytest.mark.parametrize(
    ("kind", "offset", "value", "message"),
    [
        (Dma, 0, 0, "unknown opcode 0"),
        (Dma, 0, 10, "unknown opcode 10"),
        (Dma, 0, 7, r"sync: byte 41 \(reserved\) should be zero"),
        (Sync, 40, 1, r"sync: byte 40 \(reserved\) should be zero"),
        (Dma, 1, 9, "dma: has 9 waits"),
        (Dma, 4, 1, r"byte 4 \(reserved\) should be zero"),
        (Dma, 8, 1, r"byte 8 \(waits\) should be zero"),
        (Dma, 39, 1, r"byte 39 \(waits\) should be zero"),
        (Dma, 255, 1, r"byte 255 \(reserved\) should be zero"),
        (Dma, 91, 1, r"byte 91 \(reserved\) should be zero"),
        (Dma, offset_of(Dma, "cores"), 1, "dma: copies from l1 to ddr, several cores are fed from l2 or ddr to l1"),
        (Dma, offset_of(Dma, "src"), 3, "src is in memory 3"),
        (Dma, offset_of(Dma, "src"), 255, "src is missing"),
        (Dma, offset_of(Dma, "row_bytes"), 0, "row_bytes is 0, legal are 1 to"),
        (Depthwise, offset_of(Depthwise, "src") + 1, 1, "src has offset"),
        (Depthwise, offset_of(Depthwise, "mode"), 3, "mode is 3"),
        (Depthwise, offset_of(Depthwise, "params"), 255, "needs params exactly if"),
        (Vec, offset_of(Vec, "operand0") + 1, 64, r"\(operand0\) should be zero"),
        (Vec, offset_of(Vec, "bias"), 40, "bias names lane 40"),
        (Vec, offset_of(Vec, "steps"), 10, "steps has operation 10"),
        (Vec, offset_of(Vec, "steps") + 1, 1, r"\(steps\) should be zero"),
    ],
)
def test_decode_refuses(kind: type[Instruction], offset: int, value: int, message: str):
    index = {Dma: 0, Depthwise: 5, Vec: 6, Sync: 11}[kind]
    data = bytearray(encode_task(BASES[index], (), 0))
    assert data[offset] != value
    data[offset] = value
    with pytest.raises(AxirError, match=message):
        decode_task(bytes(data))


def test_decode_refuses_a_step_after_an_empty_one():
    data = bytearray(encode_task(changed(BASES[6], steps=(VectorStep(StepOp.MAX, 0, 1.0),)), (), 0))
    start = offset_of(Vec, "steps")
    data[start + 8 : start + 16], data[start : start + 8] = data[start : start + 8], bytes(8)
    with pytest.raises(AxirError, match=r"\(steps\) should be zero"):
        decode_task(bytes(data))


def test_decode_refuses_other_kinds_of_source():
    data = bytearray(encode_task(changed(BASES[6], steps=(VectorStep(StepOp.MAX, 0, 1.0),)), (), 0))
    data[offset_of(Vec, "steps") + 2] = 4
    with pytest.raises(AxirError, match="steps has a source of kind 4"):
        decode_task(bytes(data))


def test_decode_refuses_lanes_with_an_immediate():
    data = bytearray(encode_task(changed(BASES[6], bias=Lane(3)), (), 0))
    data[offset_of(Vec, "bias") + 4] = 1
    with pytest.raises(AxirError, match=r"\(bias\) should be zero"):
        decode_task(bytes(data))


def test_decode_refuses_units_that_are_not_there():
    data = bytearray(encode_task(BASES[0], [Wait(0, "depthwise", 1)], 0))
    data[8] = 6
    with pytest.raises(AxirError, match="waits for unit 6"):
        decode_task(bytes(data))


def test_decode_refuses_other_lengths():
    with pytest.raises(AxirError, match="256 bytes, not 255"):
        decode_task(bytes(255))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_damaged_descriptors_decode_to_what_encodes_to_them(base: Instruction, data: st.DataObject):
    """Whatever bytes are accepted, they are the one encoding of what they decode to; the rest is an AxirError."""
    descriptor = bytearray(encode_task(base, [Wait(0, "load", 7)], 3))
    for _ in range(data.draw(st.integers(1, 3))):
        descriptor[data.draw(st.integers(0, isa.DESCRIPTOR_BYTES - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_task(bytes(descriptor))
    except AxirError:
        return
    assert encode_task(*decoded) == bytes(descriptor)
