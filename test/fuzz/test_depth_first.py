"""Random towers of layers as depth-first chains, whether they pay or not: the same bytes as without."""

from __future__ import annotations

from itertools import count
from typing import Any
from unittest.mock import patch

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

SETTINGS = {
    "tiling_depth": st.integers(2, 7),
    "force_h_tiling": st.sampled_from([None, None, 2, 3, 100]),
    "force_oc_tiling": st.sampled_from([None, None, 2]),
    "split_buffer_promotion": st.booleans(),
    "pipeline_spatial_tiles": st.booleans(),
    "pipeline_channel_tiles": st.booleans(),
    "unroll_prologue_epilogue": st.booleans(),
    "inter_operator_async": st.booleans(),
    "imc_double_buffer_pipeline": st.booleans(),
    "imc_double_buffer_sequential": st.booleans(),
    "mvm_utilization_limit": st.sampled_from([0.125, 1.0]),
    "workspace_memory_pool": st.sampled_from(["global.ddr", "global.ddr", "global.l2", "global.l1"]),
    "constant_memory_pool": st.sampled_from(["global.ddr", "global.ddr", "global.l1"]),
}


@given(
    case=towers(),
    seed=st.integers(0, 2**31),
    promote=st.booleans(),
    l1=st.sampled_from([10_000, 30_000, 100_000, 1_000_000]),
    settings=st.fixed_dictionaries(SETTINGS),
)
def test_chains_compute_the_same(case: Case, seed: int, promote: bool, l1: int, settings: dict[str, object]) -> None:
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
            assert_same(case, seed, enable_buffer_promotion=promote, l1_constraint=l1, **settings)
        except AxirError as error:
            refusal = error
    event("refused" if refusal else f"longest chain: {max(lengths)}")
    assert refusal is None or "fit" in refusal.message
