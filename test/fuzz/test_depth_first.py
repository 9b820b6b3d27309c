"""Random towers of layers as depth-first chains, whether they pay or not: the same bytes as without."""

from __future__ import annotations

from itertools import count
from typing import Any
from unittest.mock import patch

from fuzz.device_settings import device_settings
from fuzz.graphs import Case, towers
from fuzz.test_chain import assert_same
from hypothesis import event, given
from hypothesis import strategies as st

from axir.ir.diagnostics import AxirError
from axir.passes.lowering import settle
from axir.passes.lowering.emission import Emitted
from axir.passes.lowering.emit import emit
from axir.passes.lowering.network import Network
from axir.passes.lowering.placement import Placement

LIMITS = st.sampled_from([10_000, 30_000, 100_000, 1_000_000])


@given(
    case=towers(),
    seed=st.integers(0, 2**31),
    settings=device_settings(tiling_depth=st.integers(2, 7), l1_constraint=LIMITS),
)
def test_chains_compute_the_same(case: Case, seed: int, settings: dict[str, Any]) -> None:
    lengths: list[int] = [0]

    def noted(network: Network, placement: Placement, *rest: Any) -> Emitted:
        lengths.extend(len(chain.members) for chain in placement.chains)
        return emit(network, placement, *rest)

    faster = count(0, -1)

    def cycles(_: object, jobs: object) -> int:
        """Whatever is tried later seems to be faster."""
        return next(faster)

    with patch.object(settle, "emit", noted), patch.object(settle._Settler, "cycles", cycles):
        refusal: AxirError | None = None
        try:
            assert_same(case, seed, **settings)
        except AxirError as error:
            refusal = error
    event("refused" if refusal else f"longest chain: {max(lengths)}")
    assert refusal is None or "fit" in refusal.message
