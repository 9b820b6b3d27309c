"""The examples of docs/numerics.md give what the page says, and its bounds hold."""

import doctest
import re

import numpy as np
import pytest
from shared import CHECKOUT

from axir import numerics

PAGE = CHECKOUT / "docs" / "numerics.md"


def test_examples() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 25
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(numerics.FUNCTIONS))
def test_table_errors(name: str) -> None:
    """Over the bins and beyond them, binary32 rounding included."""
    row = re.search(rf"^\| `{name}` \|.*\| (\S+) \|$", PAGE.read_text(), re.MULTILINE)
    assert row is not None
    bound = float(row[1])
    function, _, _ = numerics.FUNCTIONS[name]
    inside = np.linspace(-17, 17, 2_000_001).astype(np.float32)
    outside = np.concatenate([sign * np.geomspace(16, 1e6, 10_000) for sign in (-1, 1)]).astype(np.float32)
    # Far out silu and hard_swish are x: their error there is relative, and zero.
    for x in (inside, outside):
        error = np.abs(numerics.table(name)(x).astype(np.float64) - function(x.astype(np.float64))).max()
        assert error <= bound
    assert numerics.table(name).error <= bound
    assert np.abs(numerics.table(name)(inside) - function(inside.astype(np.float64))).max() > bound / 2
