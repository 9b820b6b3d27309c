"""Calibration samples in every form a user may have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from axir.compiler.dataset import Inputs, Samples, named_samples
from axir.ir.diagnostics import AxirError

ONE: Inputs = {"x": ((1, 2, 3, 4), "float32")}
TWO: Inputs = {"a": ((1, 2), "float32"), "b": ((1, 3), "int64")}


def samples(items: list[Any], inputs: Inputs, transform: Callable[[Any], Any] | None = None) -> list[dict[str, Any]]:
    return [dict(sample) for sample in named_samples(items, inputs, transform)]


def test_arrays_with_and_without_batch_axis() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    (with_batch,) = samples([array[None]], ONE)
    (without,) = samples([array], ONE)
    assert with_batch["x"].shape == without["x"].shape == (1, 2, 3, 4)
    assert np.array_equal(with_batch["x"], without["x"])


def test_mappings_and_sequences_for_several_inputs() -> None:
    a, b = np.zeros((1, 2), np.float32), np.zeros(3, np.int64)
    (by_name,) = samples([{"a": a, "b": b}], TWO)
    (in_order,) = samples([(a, b)], TWO)
    assert by_name["b"].shape == in_order["b"].shape == (1, 3)


def test_transform_sees_the_item() -> None:
    (sample,) = samples([3], ONE, lambda item: np.full((2, 3, 4), item, np.float32))
    assert sample["x"][0, 0, 0, 0] == 3


@pytest.mark.parametrize("item", ["text", [1.0, 2.0], (np.zeros((2, 3, 4), np.float32), 5), None])
def test_other_items_are_refused(item: Any) -> None:
    with pytest.raises(AxirError) as error:
        samples([item], ONE)
    assert "calibration sample 0 is a" in error.value.message
    assert "the model's inputs are x" in error.value.notes[0]


def test_a_failing_transform_is_located_at_the_users_line() -> None:
    def broken(item: int) -> Any:
        return 1 / (item - 2)  # this line

    with pytest.raises(AxirError) as error:
        samples([1, 2], ONE, lambda item: np.full((2, 3, 4), broken(item), np.float32))
    line = broken.__code__.co_firstlineno + 1
    assert error.value.render() == (
        f"{__file__}:{line}: error: calibration sample 1: the transform failed: ZeroDivisionError: division by zero"
    )


def test_the_first_samples_are_kept_while_they_stream() -> None:
    shared = np.zeros(1, np.float32)

    def stream() -> Any:
        for value in range(4):
            shared[0] = value
            yield {"x": shared}

    kept = Samples(stream(), keep=2)
    assert [float(sample["x"][0]) for sample in kept] == [0, 1, 2, 3]
    assert [float(sample["x"][0]) for sample in kept.kept] == [0, 1]
