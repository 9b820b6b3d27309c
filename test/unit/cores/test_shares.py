"""Shares of layers: together they are the layer, and what they read is what their taps touch."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from unit.cores.networks import all_ways, layers

from axir.passes.lowering.array_map import Geometry
from axir.passes.lowering.convolutions import Phase
from axir.passes.lowering.cores.shares import (
    CHANNELWISE,
    CUTS,
    Box,
    box_of,
    kind_of,
    largest,
    read_boxes,
    rows_of,
    share,
    splits,
    whole,
    write_box,
    written,
)
from axir.passes.lowering.network import Layer, MatMulWork, WindowWork, Work
from axir.passes.lowering.tensors import Storage
from axir.target.isa import INSTRUCTIONS, addresses_of

CORES = st.integers(1, 5)


def marked(box: Box, storage: Storage) -> np.ndarray:
    """The bytes of a storage, True in the box."""
    cells = np.zeros((storage.rows, storage.row_pitch // storage.pitch, storage.pitch), np.bool_)
    cells[tuple(slice(low, high) for low, high in (box.rows, box.columns, box.slots))] = True
    return cells


@given(layer=layers(), cores=CORES, data=st.data())
def test_shares_are_the_layer_and_nothing_twice(layer: Layer, cores: int, data: st.DataObject) -> None:
    way = data.draw(st.sampled_from(all_ways(layer, cores)))
    parts = [share(layer, way, core, cores) for core in range(cores)]
    found = [part for part in parts if part is not None]
    times = cores if way == "all" else 1
    count = np.zeros((rows_of(layer), max(1, layer.output.blocks)), np.int64)
    bytes_written = np.zeros_like(marked(whole(layer.output.storage), layer.output.storage), np.int64)
    output_rows = np.zeros(layer.output.height, np.int64)
    for part in found:
        assert part.first < part.last
        assert part.block < part.end
        count[part.first : part.last, part.block : part.end] += 1
        bytes_written += marked(write_box(layer, part), layer.output.storage)
        if way not in ("blocks", "grid"):
            output_rows[slice(*written(layer, part))] += 1
    assert (count == times).all()
    assert way in ("blocks", "grid") or (output_rows == times).all()
    everything = marked(box_of(layer.output, (0, layer.output.height)), layer.output.storage)
    assert (bytes_written == times * everything).all()
    most = max((part.last - part.first) * (part.end - part.block) for part in found)
    if isinstance(way, str):
        rows, blocks = largest(layer, way, cores)
        assert rows * blocks == most


def geometries(layer: Layer) -> list[Geometry]:
    if isinstance(layer.work, list):
        return [phase.geometry for phase in layer.work]
    return [layer.work.geometry] if isinstance(layer.work, WindowWork) else []


@given(layer=layers(), cores=CORES, data=st.data())
def test_shares_read_what_their_taps_touch(layer: Layer, cores: int, data: st.DataObject) -> None:
    """Against a walk over all rows and taps."""
    way = data.draw(st.sampled_from(all_ways(layer, cores)))
    for core in range(cores):
        part = share(layer, way, core, cores)
        if part is None:
            continue
        tensors = list(read_boxes(layer, part))
        assert [tensor for tensor, _, _ in tensors] == layer.tensors[:-1]
        (_, (low, high), blocks), *_ = tensors
        touched = {
            y * g.strides[0] + g.origin[0] + tap * g.dilations[0]
            for g in geometries(layer)
            for y in range(part.first, min(part.last, g.height))
            for tap in range(g.kernel[0])
        }
        assert {row for row in touched if 0 <= row < layer.input.height} <= set(range(low, high))
        assert 0 <= low < high <= layer.input.height
        if isinstance(layer.work, list):  # every product of channels
            assert blocks is None
        for tensor, rows, own in tensors:
            box = box_of(tensor, rows, own)
            assert not box.empty
            assert box & whole(tensor.storage) == box


@given(layer=layers(), cores=CORES)
def test_what_all_of_a_layer_needs_is_not_cut(layer: Layer, cores: int) -> None:
    """Statistics over all pixels, products of two tensors; and over all channels of a pixel."""
    if layer.whole_rows:
        assert not {"rows", "blocks", "grid"} & {*splits(layer)}
    if layer.whole_pixels:
        assert not {"blocks", "grid"} & {*splits(layer)}
    if layer.output.storage.port is not None:  # written once
        assert "all" not in splits(layer)


def test_every_kind_of_work_is_decided() -> None:
    """A new kind must be looked at: may its rows or channels be cut, and does an output channel take one channel?"""
    modes = get_args(get_type_hints(WindowWork)["mode"])
    assert set(get_args(Work)) == {list[Phase], WindowWork, MatMulWork}
    assert {*CUTS} == {"copy", "array", "matmul", *modes}
    assert {*CHANNELWISE} <= {*CUTS}


def test_only_copies_pass_bytes_between_cores() -> None:
    """What `program_order` and `batch-over-cores` go by: a new instruction that touches more than a core's own memory
    must be looked at there."""
    touching = {kind.__name__ for kind in INSTRUCTIONS for row in addresses_of(kind) if {*row.memories} != {"l1"}}
    assert touching == {"Dma"}


@given(layer=layers().filter(lambda layer: isinstance(layer.work, WindowWork)), cores=CORES)
def test_an_unknown_kind_is_computed_whole(layer: Layer, cores: int) -> None:
    assert isinstance(layer.work, WindowWork)
    work = replace(layer.work)
    object.__setattr__(work, "mode", "sort")
    unknown = replace(layer, work=work)
    for way in all_ways(unknown, cores):
        for core in range(cores):
            part = share(unknown, way, core, cores)
            if part is not None:
                assert written(unknown, part) == (0, layer.output.height)
                assert [box_of(t, *rest).bytes for t, *rest in read_boxes(unknown, part)] == [
                    box_of(t, (0, t.height)).bytes for t in layer.tensors[:-1]
                ]


@given(layer=layers())
def test_channels_are_cut_where_they_stay_in_their_pwords(layer: Layer) -> None:
    """Operands of the vector unit, and what goes through it channel by channel, lie as the output does."""
    if "blocks" in splits(layer):
        same = [*layer.extras, *([layer.input] if kind_of(layer) in CHANNELWISE else [])]
        assert all(tensor.runs == layer.output.runs for tensor in same)


boxes = st.builds(Box, *[st.tuples(st.integers(0, 4), st.integers(0, 4))] * 3)
STORAGE = Storage("s", 4, 16, 4)


@given(a=boxes, b=boxes)
def test_boxes_are_sets_of_bytes(a: Box, b: Box) -> None:
    cells_a, cells_b = marked(a, STORAGE), marked(b, STORAGE)
    assert a.bytes == cells_a.sum()
    assert a.empty == (not cells_a.any())
    assert (marked(a & b, STORAGE) == (cells_a & cells_b)).all()
    if not a.empty and not b.empty:
        assert (marked(a | b, STORAGE) >= (cells_a | cells_b)).all()
