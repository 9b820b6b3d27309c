"""The weight store: constant tensors beside the IR, found by the hash of their content.

The IR holds keys (`#ax.weight`), so modules stay small and equal tensors are stored once. The file format is
safetensors (https://huggingface.co/docs/safetensors): an 8-byte header length, a JSON header, the bytes.
Written here rather than with the library, which has no memory-mapped reading for NumPy.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, KeysView
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from axir.ir.diagnostics import AxirError
from axir.ir.files import atomic_open

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]

KEY_LENGTH = 32
"""Hexadecimal digits of a key: the first 128 bits of a SHA-256."""


@cache
def _dtypes() -> dict[str, np.dtype[Any]]:
    """safetensors' names of the element types that can be stored, all little-endian."""
    import numpy as np

    codes = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1"}
    return {name: np.dtype(code) for name, code in (codes | {"U8": "|u1", "BOOL": "|b1"}).items()}


@cache
def _dtype_names() -> dict[str, str]:
    return {dtype.str: name for name, dtype in _dtypes().items()}


@dataclass(frozen=True)
class _Stored:
    """A tensor inside a file, not yet read."""

    path: Path
    data: Array
    dtype: str
    shape: tuple[int, ...]

    def read(self, key: str) -> Array:
        array = self.data.view(_dtypes()[self.dtype]).reshape(self.shape)
        if _key(array) != key:
            raise AxirError(
                f"{self.path}: the content of weight {key} does not match its hash",
                notes=("the file is damaged, or was not written by AXIR; make it again",),
            )
        return array


class WeightStore:
    """Constant tensors by content hash. Append-only: a key never changes its meaning, so stores can be shared."""

    def __init__(self) -> None:
        self._tensors: dict[str, Array | _Stored] = {}

    def put(self, array: Array) -> str:
        """Store a tensor and return its key, a hash of element type, shape and bytes.

        A writable array is copied; a read-only one is kept as it is. Raises `AxirError` for element types other than
        f16, f32, f64, i8, i16, i32, i64, u8 and bool.
        """
        import numpy as np

        # asarray keeps rank 0, which ascontiguousarray does not.
        stored = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        if stored.dtype.str not in _dtype_names():
            raise AxirError(f"tensors of element type {stored.dtype} cannot be stored as weights")
        key = _key(stored)
        if key not in self._tensors:
            if stored.flags.writeable:
                stored = stored.copy() if np.may_share_memory(stored, array) else stored
                stored.flags.writeable = False
            self._tensors[key] = stored
        return key

    def get(self, key: str) -> Array:
        """The tensor of `key`, read-only, in the memory it is stored in.

        A tensor from a file is checked against its hash when first read. Raises `AxirError` when the key is unknown or
        the bytes are damaged.
        """
        tensor = self._tensors.get(key)
        if tensor is None:
            raise AxirError(
                f"weight {key} is not in the weight store",
                notes=("the values are kept beside the .mlir file: pass them with --weights FILE.safetensors",),
            )
        if isinstance(tensor, _Stored):
            tensor = self._tensors[key] = tensor.read(key)
        return tensor

    def __contains__(self, key: str) -> bool:
        return key in self._tensors

    def __len__(self) -> int:
        return len(self._tensors)

    def keys(self) -> KeysView[str]:
        """The keys, in the order in which they were stored."""
        return self._tensors.keys()

    def update(self, other: WeightStore) -> None:
        """Add every tensor of `other`; nothing is copied or read."""
        for key, tensor in other._tensors.items():
            self._tensors.setdefault(key, tensor)

    def save(self, path: str | os.PathLike[str], keys: Iterable[str]) -> None:
        """Write the tensors of `keys` as a safetensors file, atomically; equal contents give equal bytes.

        Raises `AxirError` for an unknown key and `OSError` when the file cannot be written.
        """
        # Wide elements first: every tensor then starts at a multiple of its element size.
        tensors = sorted(((key, self.get(key)) for key in set(keys)), key=lambda item: (-item[1].itemsize, item[0]))
        header: dict[str, Any] = {}
        offset = 0
        for key, array in tensors:
            end = offset + array.nbytes
            dtype = _dtype_names()[array.dtype.str]
            header[key] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, end]}
            offset = end
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with atomic_open(path) as file:
            file.write(len(text).to_bytes(8, "little"))
            file.write(text)
            for _, array in tensors:
                file.write(_bytes(array))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> WeightStore:
        """A store over a file written by `save`, memory-mapped: a tensor is read when it is first asked for.

        Raises `OSError` when the file cannot be opened and `AxirError` when it is no whole safetensors file.
        """
        import numpy as np

        file = Path(path)
        if file.stat().st_size < 8:
            raise _damaged(file, "it is shorter than its header")
        mapped = cast("Array", np.memmap(file, dtype=np.uint8, mode="r"))
        store = cls()
        for key, entry in _parse_header(file, mapped).items():
            store._tensors[key] = entry
        return store


def _bytes(array: Array) -> memoryview:
    import numpy as np

    return array.reshape(-1).view(np.uint8).data


def _key(array: Array) -> str:
    digest = hashlib.sha256(f"{_dtype_names()[array.dtype.str]}{list(array.shape)}".encode())
    digest.update(_bytes(array))
    return digest.hexdigest()[:KEY_LENGTH]


def _damaged(path: Path, reason: str) -> AxirError:
    return AxirError(f"{path}: not a whole safetensors file: {reason}", notes=("make the file again",))


def _parse_header(path: Path, mapped: Array) -> dict[str, _Stored]:
    """Check the header against the file: known types, sizes that fit the shapes, no gap, nothing missing."""
    length = int.from_bytes(bytes(mapped[:8]), "little")
    data = mapped[8 + length :]
    if 8 + length > mapped.size:
        raise _damaged(path, "it is shorter than its header")
    try:
        header = cast(dict[str, Any], json.loads(bytes(mapped[8 : 8 + length])))
        header.pop("__metadata__", None)
        entries = sorted(
            (int(e["data_offsets"][0]), int(e["data_offsets"][1]), key, str(e["dtype"]), tuple(map(int, e["shape"])))
            for key, e in header.items()
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise _damaged(path, "its header cannot be read") from None
    tensors: dict[str, _Stored] = {}
    position = 0
    for start, end, key, dtype, shape in entries:
        if dtype not in _dtypes():
            raise AxirError(f"{path}: tensors of element type {dtype} are not supported")
        size = math.prod(shape) * _dtypes()[dtype].itemsize
        if start != position or min(shape, default=0) < 0 or end - start != size:
            raise _damaged(path, f"tensor {key} does not fit its place")
        tensors[key] = _Stored(path, data[start:end], dtype, shape)
        position = end
    if position != data.size:
        raise _damaged(path, f"it holds {data.size} bytes of data, its header says {position}")
    return tensors
