"""The handwritten digits that ship inside scikit-learn, split once and for all into train and held-out."""

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

HELD_OUT_PER_CLASS = 50


class Digits(NamedTuple):
    """`images`: float32 [N, 1, 8, 8] in 0..1; `labels`: int64 [N] in 0..9."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def load() -> tuple[Digits, Digits]:
    """Return `(train, held_out)`, 1297 and 500 digits, each in the order of the data set.

    Held out are 50 digits of each class, evenly spaced over the n of that class: the ones at positions
    `i * n // 50`. Integer arithmetic alone decides, so no version of any library's random generator matters.

    Pixels are the integers 0..16 divided by 16, which binary32 represents exactly.
    """
    # scikit-learn has no type information.
    dataset: Any = cast(Any, load_digits)()
    images: NDArray[np.float32] = (dataset.images / 16.0).astype(np.float32)[:, np.newaxis]
    labels: NDArray[np.int64] = dataset.target.astype(np.int64)

    held_out = np.zeros(len(labels), dtype=np.bool_)
    for digit in range(10):
        members = np.flatnonzero(labels == digit)
        held_out[members[np.arange(HELD_OUT_PER_CLASS) * len(members) // HELD_OUT_PER_CLASS]] = True
    return Digits(images[~held_out], labels[~held_out]), Digits(images[held_out], labels[held_out])
