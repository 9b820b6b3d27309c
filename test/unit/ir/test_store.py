from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "bool"]

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@given(arrays)
def test_put_then_get_gives_the_same_bits(array: np.ndarray) -> None:
    store = WeightStore()
    assert same_bits(store.get(store.put(array)), array)


@given(st.lists(arrays, max_size=6))
def test_files_keep_every_tensor(tmp_path_factory: pytest.TempPathFactory, tensors: list[np.ndarray]) -> None:
    path = tmp_path_factory.mktemp("store") / "w.safetensors"
    store = WeightStore()
    keys = [store.put(array) for array in tensors]
    store.save(path, keys)
    opened = WeightStore.open(path)
    assert set(opened.keys()) == set(keys)
    for key, array in zip(keys, tensors, strict=True):
        assert same_bits(opened.get(key), array)
        assert same_bits(load_file(path)[key], array)  # the reference implementation reads our file


def test_key_depends_on_type_shape_and_bytes_only() -> None:
    store = WeightStore()
    a = np.arange(6, dtype=np.int32)
    keys = [store.put(x) for x in (a, a.reshape(2, 3), a.astype(np.int64), a.view(np.float32), a + 1)]
    assert len(set(keys)) == 5
    assert store.put(a.astype(">i4")) == keys[0]
    assert store.put(np.asfortranarray(a.reshape(2, 3))) == keys[1]
    assert keys[0] == hashlib.sha256(b"I32[6]" + a.tobytes()).hexdigest()[:32]


def test_later_writes_to_the_array_do_not_reach_the_store() -> None:
    store = WeightStore()
    array = np.zeros(4, dtype=np.float32)
    key = store.put(array)
    array[0] = 1
    assert store.get(key)[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        store.get(key)[0] = 2


def test_save_is_deterministic_and_independent_of_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = [rng.integers(-9, 9, size=n).astype(t) for n, t in ((3, "i1"), (5, "f4"), (2, "i8"), (7, "i1"))]
    files: list[bytes] = []
    for order in (tensors, tensors[::-1]):
        store = WeightStore()
        keys = [store.put(array) for array in order]
        store.save(tmp_path / "w", [*keys, keys[0]])
        files.append((tmp_path / "w").read_bytes())
    assert files[0] == files[1]


def test_bytes_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from axir.ir.store import WeightStore; s = WeightStore();"
        "s.save(sys.argv[1], [s.put(np.full(3, i, dtype='i4')) for i in range(9)])"
    )
    for seed in "01":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / seed)], check=True, env=environment, timeout=60)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


def test_only_the_keys_asked_for_are_saved(tmp_path: Path) -> None:
    store = WeightStore()
    first, second = store.put(np.zeros(3)), store.put(np.ones(3))
    store.save(tmp_path / "w", [second])
    opened = WeightStore.open(tmp_path / "w")
    assert second in opened
    assert first not in opened


def test_tensors_of_a_file_are_aligned_and_mapped(tmp_path: Path) -> None:
    store = WeightStore()
    keys = [store.put(np.arange(n).astype(t)) for n, t in ((3, "i1"), (5, "f8"), (3, "f2"), (4, "f4"))]
    store.save(tmp_path / "w", keys)
    opened = WeightStore.open(tmp_path / "w")
    assert all(opened.get(key).flags.aligned for key in keys)
    assert all(not opened.get(key).flags.owndata for key in keys)


def test_update_shares_tensors(tmp_path: Path) -> None:
    one, two = WeightStore(), WeightStore()
    key = one.put(np.arange(5.0))
    two.update(one)
    assert two.get(key) is one.get(key)


def test_unknown_key_says_what_to_do() -> None:
    with pytest.raises(AxirError) as raised:
        WeightStore().get("0" * 32)
    assert "0" * 32 in raised.value.message
    assert "--weights" in raised.value.notes[0]


def test_unsupported_element_type() -> None:
    with pytest.raises(AxirError, match="complex64"):
        WeightStore().put(np.zeros(2, dtype=np.complex64))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    store = WeightStore()
    store.save(tmp_path / "w", [store.put(np.arange(100, dtype=np.float32)), store.put(np.arange(7, dtype=np.int8))])
    return tmp_path / "w"


@pytest.mark.parametrize("length", [0, 5, 8, 60, -1])
def test_truncated_file(saved: Path, length: int) -> None:
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(AxirError, match="not a whole safetensors file"):
        WeightStore.open(saved)


def test_trailing_bytes(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"x")
    with pytest.raises(AxirError, match="not a whole safetensors file"):
        WeightStore.open(saved)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, position: int, flip: int) -> None:
    path = tmp_path_factory.mktemp("store") / "w"
    store = WeightStore()
    keys = [store.put(np.arange(30, dtype=np.float32)), store.put(np.arange(7, dtype=np.int8))]
    store.save(path, keys)
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= flip
    path.write_bytes(content)
    try:
        opened = WeightStore.open(path)
        for key in keys:
            # Harmless where the flip hit only the padding of the header.
            assert same_bits(opened.get(key), store.get(key))
    except AxirError:
        pass


def test_foreign_file_is_refused_when_read(tmp_path: Path) -> None:
    save_file({"conv.weight": np.zeros(4, dtype=np.float32)}, tmp_path / "w")
    with pytest.raises(AxirError, match="does not match its hash"):
        WeightStore.open(tmp_path / "w").get("conv.weight")


def test_failed_save_leaves_the_old_file_and_nothing_else(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(AxirError):
        WeightStore().save(saved, ["0" * 32])
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
