"""One network as one network a core: shares of layers over local tensors, and exchanges through shared memory.

Each core keeps of every storage what it computes and what it reads, in storages of its own. What it reads and others
compute passes through L2: after a layer, each core sends the boxes that others need, and they receive them into their
own storages. Inputs and outputs are shared: cores read and write their parts of them where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from axir.dialects.aipu import EXCHANGE
from axir.passes.lowering.cores.local_layers import LocalStorage, local_layer, view
from axir.passes.lowering.cores.shares import Box, Share, Split, box_of, read_boxes, share, whole, write_box, written
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.tensors import Storage, Tensor, align, port_name
from axir.passes.lowering.vector_program import passthrough
from axir.target.isa import Memory


@dataclass
class CoreNetwork:
    """What one core runs; `numbers` are those that its layers have in the report, by their index."""

    core: int
    network: Network = field(default_factory=Network)
    numbers: list[int] = field(default_factory=list[int])
    writers: dict[int, int] = field(default_factory=dict[int, int])  # by id of a storage: the last that wrote to it

    def add(self, layer: Layer, number: int) -> None:
        layer.index = len(self.network.layers)
        for tensor in layer.tensors[:-1]:
            # What another core may write is copied no earlier than the layer before this one is done.
            output = tensor.storage.port == "output"
            tensor.producer = self.writers.get(id(tensor.storage), layer.index - 1 if output else -1)
        layer.output.producer = self.writers[id(layer.output.storage)] = layer.index
        for tensor in layer.tensors:
            tensor.storage.touch(layer.index)
        self.network.layers.append(layer)
        self.numbers.append(number)


@dataclass(frozen=True)
class ReportedLayer:
    """A layer of the whole network, or what is exchanged after it."""

    name: str
    operator: str
    unit: str
    macs: int


@dataclass
class Partition:
    """The cores' networks, and the layers that their tasks work for."""

    cores: list[CoreNetwork]
    layers: list[ReportedLayer] = field(default_factory=list[ReportedLayer])


def partition(
    network: Network, ways: Sequence[Split], cores: int, homes: Mapping[str, Memory], exchanges: Memory = "l2"
) -> Partition:
    """Cut a network as `ways` say, a way a layer.

    `homes` are the memories of inputs and outputs, by `port_name`, and `exchanges` is that through which cores meet.
    """
    return _Partitioner(network, ways, cores, homes, exchanges).run()


class _Partitioner:
    def __init__(
        self, network: Network, ways: Sequence[Split], cores: int, homes: Mapping[str, Memory], exchanges: Memory
    ):
        self.network, self.ways, self.count, self.homes = network, ways, cores, homes
        self.exchanges: Memory = exchanges
        self.shares = [
            [share(layer, way, core, cores) for core in range(cores)]
            for layer, way in zip(network.layers, ways, strict=True)
        ]
        self.result = Partition([CoreNetwork(core) for core in range(cores)])
        self.needs: list[dict[int, Box]] = [{} for _ in range(cores)]  # by core and id of the storage: what it reads
        self.local: list[dict[int, LocalStorage]] = [{} for _ in range(cores)]

    def run(self) -> Partition:
        extents: list[dict[int, Box]] = [{} for _ in range(self.count)]
        storages: dict[int, Storage] = {id(storage): storage for storage in self.network.storages}
        for layer, parts in zip(self.network.layers, self.shares, strict=True):
            for core, part in enumerate(parts):
                if part is None:
                    continue
                for tensor, rows, blocks in read_boxes(layer, part):
                    _enclose(self.needs[core], tensor.storage, box_of(tensor, rows, blocks))
                    _enclose(extents[core], tensor.storage, box_of(tensor, rows, blocks))
                _enclose(extents[core], layer.output.storage, write_box(layer, part))
        for _, tensor, _ in self.network.inputs:  # one that nothing reads has its place all the same
            _enclose(extents[0], tensor.storage, whole(tensor.storage))
        for core, boxes in enumerate(extents):
            for key, box in boxes.items():
                self.local[core][key] = self._local(storages[key], box, core)
        for layer, way, parts in zip(self.network.layers, self.ways, self.shares, strict=True):
            number = self._report(layer.name, layer.operator, layer.unit, layer.macs)
            for core, part in enumerate(parts):
                if part is not None:
                    self.result.cores[core].add(self._layer(layer, part, core), number)
            if way != "all" and layer.output.storage.port is None:
                self._exchange(layer, parts)
        for label, tensor, host_type in self.network.inputs:
            own = replace(tensor, storage=self.local[0][id(tensor.storage)].storage)
            self.result.cores[0].network.inputs.append((label, own, host_type))
        return self.result

    def _report(self, name: str, operator: str, unit: str, macs: int) -> int:
        self.result.layers.append(ReportedLayer(name, operator, unit, macs))
        return len(self.result.layers) - 1

    def _local(self, storage: Storage, box: Box, core: int) -> LocalStorage:
        if storage.data is not None:
            return LocalStorage(replace(storage, first=-1, last=-1), whole(storage))
        if storage.port is None:
            return LocalStorage.part(storage, box, core)
        shared = replace(storage, shared=port_name(storage), home=self.homes[port_name(storage)], first=-1, last=-1)
        return LocalStorage(shared, whole(storage))

    def _layer(self, layer: Layer, part: Share, core: int) -> Layer:
        local = self.local[core]
        read = [
            view(tensor, local[id(tensor.storage)], rows, blocks) for tensor, rows, blocks in read_boxes(layer, part)
        ]
        rows, blocks = written(layer, part), (part.block, part.end)
        output = view(layer.output, local[id(layer.output.storage)], rows, blocks)
        # A dense port has no rows of pixels to take a part of; one core has all of it.
        dense = {tensor: replace(tensor, storage=local[id(tensor.storage)].storage) for tensor in _dense(layer)}
        return local_layer(layer, part, dense.get(layer.input, read[0]), dense.get(layer.output, output), read[1:])

    def _exchange(self, layer: Layer, parts: Sequence[Share | None]) -> None:
        """Send what other cores read of the layer's output, a buffer for each box that is sent, and receive it."""
        storage = layer.output.storage
        wanted: dict[tuple[int, Box], list[int]] = {}
        for sender, part in enumerate(parts):
            for receiver, needs in enumerate(self.needs):
                if part is None or receiver == sender or id(storage) not in needs:
                    continue
                box = write_box(layer, part) & needs[id(storage)]
                if not box.empty:
                    wanted.setdefault((sender, box), []).append(receiver)
        if not wanted:
            return
        number = self._report(layer.name, EXCHANGE, "dma", 0)
        ends: list[tuple[int, Layer]] = []
        for (sender, box), receivers in wanted.items():
            name = f"{layer.name}.{number}.{len(ends)}"  # layers may have equal names
            self.result.cores[sender].add(self._copy(layer, box, sender, name, send=True), number)
            ends += [(receiver, self._copy(layer, box, receiver, name, send=False)) for receiver in receivers]
        for receiver, received in ends:
            self.result.cores[receiver].add(received, number)

    def _copy(self, layer: Layer, box: Box, core: int, name: str, *, send: bool) -> Layer:
        rows, width, pitch = (high - low for low, high in (box.rows, box.columns, box.slots))
        place = self.local[core][id(layer.output.storage)]
        own = Tensor(layer.name, pitch, rows, width, ((pitch, 0),), place.storage)
        own.offset = place.offset(box.rows[0], box.columns[0], box.slots[0])
        label = f"{name}.{EXCHANGE}"
        passed = Storage(label, rows, align(width * pitch), pitch, home=self.exchanges, shared=label)
        between = Tensor(layer.name, pitch, rows, width, ((pitch, 0),), passed)
        source, output = (own, between) if send else (between, own)
        return Layer(0, layer.name, EXCHANGE, source, output, [], passthrough(), None)


def _dense(layer: Layer) -> list[Tensor]:
    return [tensor for tensor in (layer.input, layer.output) if tensor.order == "NCHW"]


def _enclose(boxes: dict[int, Box], storage: Storage, box: Box) -> None:
    known = boxes.get(id(storage))
    boxes[id(storage)] = box if known is None else known | box
