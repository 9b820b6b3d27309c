"""The bytes of the device while a program runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.simulator.product import Product
from axir.backends.aipu.structure import Image, Port
from axir.numerics import F32, I8
from axir.target.description import Target
from axir.target.isa import Address, Memory

CHUNK = 1 << 17
"""Elements of the largest array of a step of a unit: what fits the caches."""


class Core:
    """What one core sees: its own L1 and weight sets, and the memories that all cores share.

    `weights` are the sets as one matrix [rows of all sets, columns], in binary32, where products of bytes are exact.
    """

    def __init__(self, image: Image, target: Target, shared: Mapping[Memory, I8]):
        self.memories: dict[Memory, I8] = {**shared, "l1": np.zeros(image.memory.get("l1", 0), np.int8)}
        self.set_rows = target.array.rows
        self.weights: F32 = np.zeros((target.array.weight_sets * target.array.rows, target.array.columns), np.float32)
        self.products: dict[tuple[int, int, int, int], Product] = {}
        for constant in image.constants:
            if constant.memory == "l1":
                self.memories["l1"][constant.address : constant.end] = constant.data

    def product(self, row: int, rows: int, column: int, columns: int) -> Product:
        """Multiplication with a part of the weight sets. Whoever writes weights must clear `products`."""
        key = (row, rows, column, columns)
        if key not in self.products:
            self.products[key] = Product(self.weights[row : row + rows, column : column + columns])
        return self.products[key]

    def view(self, address: Address, shape: tuple[int, ...], strides: tuple[int, ...]) -> I8:
        """Bytes at `address`, strides in bytes; a view into memory."""
        return np.ndarray(shape, np.int8, self.memories[address.memory], address.offset, strides)

    def block(self, address: Address, shape: tuple[int, ...], dtype: type[np.generic] = np.int8) -> NDArray[Any]:
        """Contiguous little-endian numbers at `address`; a view into memory."""
        return np.ndarray(shape, np.dtype(dtype).newbyteorder("<"), self.memories[address.memory], address.offset)


def load_constants(image: Image, shared: Mapping[Memory, I8]) -> dict[Memory, I8]:
    """L2 and DDR of a program, of which `shared` holds at least as much as it may use, with its constants in them."""
    memories: dict[Memory, I8] = {name: memory[: image.memory.get(name, 0)] for name, memory in shared.items()}
    for constant in image.constants:
        if constant.memory in memories:
            memories[constant.memory][constant.address : constant.end] = constant.data
    return memories


def write_port(memory: I8, port: Port, tensor: I8) -> None:
    """Place a [1, C, H, W] tensor; bytes of the port that hold no element become 0."""
    memory[port.offset : port.offset + port.bytes] = 0
    channel = 0
    for elements in _elements(memory, port):
        elements[...] = tensor[0, channel : channel + len(elements)]
        channel += len(elements)


def read_port(memory: I8, port: Port) -> I8:
    """The [1, C, H, W] tensor of a port, a copy."""
    return np.concatenate(list(_elements(memory, port)))[None]


def _elements(memory: I8, port: Port) -> Iterator[I8]:
    """Views [channels, H, W] of consecutive channels."""
    for walk, slot in port.walks():
        shape, steps = tuple(count for count, _ in walk), tuple(step for _, step in walk)
        yield np.ndarray(shape, np.int8, memory, port.offset + slot, steps)
