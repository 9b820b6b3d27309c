"""The memory map's settings as limits of the device passes."""

from __future__ import annotations

import pytest

from axir.compiler import CompilerConfig
from axir.compiler.memory_map import apply_memory_map
from axir.ir.diagnostics import AxirError
from axir.target.description import load

METIS = load(None)


def test_defaults_leave_the_target_its_sizes() -> None:
    assert apply_memory_map(CompilerConfig(), METIS) == CompilerConfig()
    assert apply_memory_map(CompilerConfig(l1_constraint=5), METIS).l1_constraint == 5


def test_smaller_memories_become_limits() -> None:
    config = CompilerConfig(l1_size_used=1_000_000, l2_size_reserved=3_554_432, resources=0.5)
    limited = apply_memory_map(config, METIS)
    assert limited.l1_constraint == 1_000_000 - 524_288
    assert limited.l2_constraint == 15_000_000
    assert limited.ddr_constraint is None


def test_the_narrower_limit_counts() -> None:
    assert apply_memory_map(CompilerConfig(l1_size_used=1_000_000, l1_constraint=7), METIS).l1_constraint == 7
    wide = CompilerConfig(l1_size_used=600_000, l1_constraint=1 << 20)
    assert apply_memory_map(wide, METIS).l1_constraint == 600_000 - 524_288


@pytest.mark.parametrize("settings", [{"l1_size_used": 8 << 20}, {"l2_size_reserved": 0}])
def test_more_than_the_target_has_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(AxirError, match="target 'metis' has"):
        apply_memory_map(CompilerConfig(**settings), METIS)
