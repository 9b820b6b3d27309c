"""A network cut over cores: each core has what it reads before it reads it, and the ports are written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st
from unit.cores.networks import all_ways, homes, networks

from axir.passes.lowering.cores.partition import partition
from axir.passes.lowering.network import Layer, MatMulWork, Network, WindowWork
from axir.passes.lowering.tensors import Storage, Tensor
from axir.target.isa import PWORD


def ways_of(draw: Any, network: Network, cores: int) -> list[Any]:
    return [draw(st.sampled_from(all_ways(layer, cores))) for layer in network.layers]


def touched_rows(layer: Layer) -> set[int]:
    """The rows of its input that a layer's taps touch."""
    if layer.work is None or isinstance(layer.work, MatMulWork):
        return set(range(layer.input.height))
    geometries = [layer.work.geometry] if isinstance(layer.work, WindowWork) else [p.geometry for p in layer.work]
    rows = {
        y * g.strides[0] + g.origin[0] + tap * g.dilations[0]
        for g in geometries for y in range(g.height) for tap in range(g.kernel[0])
    }  # fmt: skip
    return {row for row in rows if 0 <= row < layer.input.height}


def bytes_of(tensor: Tensor, rows: set[int]) -> np.ndarray:
    """Offsets, in its storage, of the channels of some rows of a tensor, with the padding of their pwords."""
    if tensor.order == "NCHW":
        return np.arange(tensor.storage.size)
    slots: set[int] = set()
    for count, slot in tensor.runs:
        end = tensor.pitch if tensor.sub_word else -(-(slot + count) // PWORD) * PWORD
        slots.update(range(slot, end))
    pixels = np.array(sorted(rows), np.int64)[:, None] * tensor.row_pitch + np.arange(tensor.width) * tensor.pitch
    return (tensor.offset + pixels[..., None] + np.array(sorted(slots), np.int64)).reshape(-1)


class Memory:
    """Which bytes have been written: of a core's own storages, and of those that all know by a name."""

    def __init__(self) -> None:
        self.written: dict[Any, np.ndarray] = {}

    def of(self, storage: Storage) -> np.ndarray:
        key = storage.shared or id(storage)
        if key not in self.written:
            self.written[key] = np.full(storage.size, storage.port == "input" or storage.data is not None, np.bool_)
        assert self.written[key].size == storage.size
        return self.written[key]

    def reads(self, layer: Layer) -> bool:
        """Whether all that a layer reads is there."""
        every = [(layer.input, touched_rows(layer)), *((t, set(range(t.height))) for t in layer.tensors[1:-1])]
        return all(self.of(tensor.storage)[bytes_of(tensor, rows)].all() for tensor, rows in every)

    def writes(self, layer: Layer) -> None:
        places = bytes_of(layer.output, set(range(layer.output.height)))
        there = self.of(layer.output.storage)
        if layer.output.storage.shared is not None:
            assert not there[places].any(), "written twice"
        there[places] = True


@given(network=networks(), cores=st.integers(1, 4), data=st.data())
def test_what_a_core_reads_is_there(network: Network, cores: int, data: st.DataObject) -> None:
    cut = partition(network, ways_of(data.draw, network, cores), cores, homes(network))
    memory = Memory()
    heads = [0] * cores
    left = sum(len(own.network.layers) for own in cut.cores)
    while left:
        before = left
        for core, own in enumerate(cut.cores):
            layers = own.network.layers
            while heads[core] < len(layers) and memory.reads(layers[heads[core]]):
                memory.writes(layers[heads[core]])
                heads[core] += 1
                left -= 1
        assert left < before, "cores wait for bytes that nobody writes"
    event("exchanges" if any(layer.operator == "exchange" for layer in cut.layers) else "no exchange")
    # The ports of the whole network are written, as the host will read them.
    for _, tensor, _ in network.outputs:
        shared = next(
            s for own in cut.cores for s in own.network.storages if s.shared == f"output.{tensor.storage.label}"
        )
        assert memory.of(shared)[bytes_of(tensor, set(range(tensor.height)))].all()


@given(network=networks(), cores=st.integers(2, 4), data=st.data())
def test_layers_know_who_writes_what_they_read(network: Network, cores: int, data: st.DataObject) -> None:
    """`producer` is the last layer of the same core before it that wrote to the storage, -1 for what others write."""
    cut = partition(network, ways_of(data.draw, network, cores), cores, homes(network))
    for own in cut.cores:
        writers: dict[int, int] = {}
        for index, layer in enumerate(own.network.layers):
            assert layer.index == index
            for tensor in layer.tensors[:-1]:
                assert tensor.producer == writers.get(id(tensor.storage), -1)
            writers[id(layer.output.storage)] = layer.output.producer
            assert layer.output.producer == index


@given(network=networks(), cores=st.integers(1, 4), data=st.data())
def test_the_parts_add_up(network: Network, cores: int, data: st.DataObject) -> None:
    """Every layer is reported once and computed by whoever has a share; its work is shared out."""
    ways = ways_of(data.draw, network, cores)
    cut = partition(network, ways, cores, homes(network))
    reported = [layer for layer in cut.layers if layer.operator != "exchange"]
    assert [(r.name, r.operator, r.unit, r.macs) for r in reported] == [
        (layer.name, layer.operator, layer.unit, layer.macs) for layer in network.layers
    ]
    for number, whole in enumerate(cut.layers):
        parts = [(own, at) for own in cut.cores for at, n in enumerate(own.numbers) if n == number]
        layers = [own.network.layers[at] for own, at in parts]
        assert all(part.operator == whole.operator for part in layers)
        if whole.operator != "exchange":
            index = sum(layer.operator != "exchange" for layer in cut.layers[:number])
            way = ways[index]
            assert len({own.core for own, _ in parts}) == len(parts)
            total = sum(part.macs for part in layers)
            given_channels = network.layers[index].input.channels
            assert way in ("blocks", "grid") or all(part.input.channels == given_channels for part in layers)
            assert abs(total - whole.macs * (cores if way == "all" else 1)) <= len(parts)
    for own in cut.cores:
        assert own.numbers == sorted(own.numbers)


@given(network=networks(), cores=st.integers(2, 4), data=st.data())
def test_storages_are_a_core_s_own_or_have_a_name(network: Network, cores: int, data: st.DataObject) -> None:
    cut = partition(network, ways_of(data.draw, network, cores), cores, homes(network))
    owners: dict[int, int] = {}
    for own in cut.cores:
        for layer in own.network.layers:
            for tensor in layer.tensors:
                constant = tensor.storage.data is not None
                assert (tensor.storage.shared is None) == (constant or tensor.storage.home == "l1")
                assert owners.setdefault(id(tensor.storage), own.core) == own.core
                assert bytes_of(tensor, set(range(tensor.height))).max() < tensor.storage.size
            for extra in layer.extras:
                assert extra.height in (1, layer.output.height)
