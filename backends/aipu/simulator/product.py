"""Exact products of byte vectors with what is in the weight sets, through binary32 matrix multiplication.

A product of two bytes is at most 2^14 in magnitude, so any sum of 2^10 of them is an integer of at most 2^24: every
partial sum, in whatever order BLAS adds them, is a binary32 number, and nothing rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.numerics import F32
from axir.target.isa import PWORD

EXACT = 1 << 24
"""All integers up to this magnitude are binary32 numbers."""

PRODUCT = 128 * 128
"""The greatest magnitude of a product of two bytes."""

EXACT_TERMS = EXACT // PRODUCT

DENSE = 0.6
"""Rows and columns of zeros are left out where less than this share of them is in use."""


class Product:
    """Multiplies with one matrix [rows, 64 * blocks] of bytes held in binary32.

    Channel padding and in-core replication fill it with zeros, in patterns that differ between column blocks: each
    block is multiplied by the rows alone that it uses, together with the others that use the same.
    """

    def __init__(self, weights: F32):
        used = (weights != 0).reshape(len(weights), -1, PWORD)
        rows = used.any(axis=2)
        columns = used.any(axis=0).reshape(-1)
        blocks: dict[bytes, list[int]] = {}
        for block in range(rows.shape[1]):
            blocks.setdefault(rows[:, block].tobytes(), []).append(block)
        self.width = weights.shape[1]
        groups = blocks.values()
        self.parts = [_Part(weights, rows[:, group[0]], _lanes(group, columns)) for group in groups]
        self.terms = max(part.terms for part in self.parts)

    def __call__(self, vectors: F32) -> NDArray[Any]:
        """[n, 64 * blocks]: integers in binary32 of magnitude at most `terms * PRODUCT` where exact, else int32."""
        if len(self.parts) == 1 and self.parts[0].lanes is None:
            return self.parts[0](vectors)
        total = np.zeros((len(vectors), self.width), np.float32 if self.terms <= EXACT_TERMS else np.int32)
        for part in self.parts:
            total[:, slice(None) if part.lanes is None else part.lanes] = part(vectors)
        return total


def _lanes(blocks: list[int], used: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    """The columns of some blocks, without those of zeros; None for all."""
    lanes = np.add.outer(np.array(blocks) * PWORD, np.arange(PWORD)).reshape(-1)
    if used[lanes].mean() < DENSE:
        lanes = lanes[used[lanes]]
    return None if lanes.size == used.size else lanes


class _Part:
    """Columns `lanes` (None: all) of a matrix, of which only some rows are not zero."""

    def __init__(self, weights: F32, used: NDArray[np.bool_], lanes: NDArray[np.intp] | None):
        self.lanes = lanes
        self.rows = np.flatnonzero(used) if used.mean() < DENSE else None
        chosen = weights if lanes is None else weights[:, lanes]
        self.weights = chosen if self.rows is None else chosen[self.rows]
        self.terms = len(self.weights)

    def __call__(self, vectors: F32) -> NDArray[Any]:
        chosen = vectors if self.rows is None else vectors.take(self.rows, axis=1)
        if self.terms <= EXACT_TERMS:
            return chosen @ self.weights
        total = np.zeros((len(vectors), self.weights.shape[1]), np.int32)
        for row in range(0, self.terms, EXACT_TERMS):
            block = slice(row, row + EXACT_TERMS)
            total += (chosen[:, block] @ self.weights[block]).astype(np.int32)
        return total
