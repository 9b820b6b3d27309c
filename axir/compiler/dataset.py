"""Calibration samples, whatever form a user has them in: arrays, mappings, an .npz file, nothing."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from axir.ir.diagnostics import AxirError

Array = NDArray[Any]
Sample = Mapping[str, Array]
Inputs = Mapping[str, tuple[tuple[int, ...], str]]
"""Shape and NumPy type name of every input of the model."""
Transform = Callable[[Any], Any]


@dataclass
class Samples:
    """Samples by input name, streamed; `total` is how many there will be, where known.

    The first `keep` of them are remembered in `kept` as they pass, so that a check can use them again.
    """

    source: Iterable[Sample]
    total: int | None = None
    keep: int = 0
    kept: list[Sample] = field(default_factory=list[Sample])

    def __iter__(self) -> Iterator[Sample]:
        for sample in self.source:
            if len(self.kept) < self.keep:
                self.kept.append({name: array.copy() for name, array in sample.items()})
            yield sample


def named_samples(dataset: Iterable[Any], inputs: Inputs, transform: Transform | None) -> Iterator[Sample]:
    """The items of `dataset` as samples by input name.

    An item, after `transform`, is a mapping from input names to arrays, an array for the model's only input, or a
    sequence of one array an input. A missing batch axis of 1 is added. Raises `AxirError` for an item of another form,
    and with the position in the user's code where `transform` fails.
    """
    for index, item in enumerate(dataset):
        value = item if transform is None else _transformed(transform, item, index)
        yield {name: _with_batch(array, inputs.get(name)) for name, array in _by_name(value, inputs, index).items()}


def _transformed(transform: Transform, item: Any, index: int) -> Any:
    try:
        return transform(item)
    except AxirError:
        raise
    except Exception as error:
        raise transform_error(error, f"calibration sample {index}") from error


def transform_error(error: Exception, what: str) -> AxirError:
    """What the user's transform raised, located at the line of it that was running."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    # The last frame outside of installed packages is the user's own line.
    own = [frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith("<")]
    place = (own or frames)[-1] if frames else None
    return AxirError(
        f"{what}: the transform failed: {type(error).__name__}: {error}",
        location=None if place is None else f"{place.filename}:{place.lineno}",
    )


def _by_name(value: Any, inputs: Inputs, index: int) -> dict[str, Array]:
    names = list(inputs)
    if isinstance(value, Mapping):
        return {str(name): np.asarray(array) for name, array in cast(Mapping[Any, Any], value).items()}
    kind = type(value).__name__
    if isinstance(value, list | tuple) and len(names) > 1:
        parts = cast(Sequence[Any], value)
        if len(parts) == len(names):
            return {name: np.asarray(part) for name, part in zip(names, parts, strict=True)}
    elif len(names) == 1 and hasattr(cast(object, value), "__array__"):
        return {names[0]: np.asarray(cast(Any, value))}
    raise AxirError(
        f"calibration sample {index} is a {kind}; expected "
        + ("an array" if len(names) == 1 else f"a sequence of {len(names)} arrays")
        + " or a mapping from input names to arrays",
        notes=(f"the model's inputs are {', '.join(names)}; transform_fn can turn an item into an array",),
    )


def _with_batch(array: Array, declared: tuple[tuple[int, ...], str] | None) -> Array:
    return array[None] if declared is not None and (1, *array.shape) == declared[0] else array
