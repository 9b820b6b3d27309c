"""The choice of ways: costs add up, local search ends where no single change helps, stages are cut best."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.cores.networks import TARGET, networks

from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.cores import choose
from axir.passes.lowering.cores.choose import Costs, Options, cooperative_ways, pipeline_ways
from axir.passes.lowering.cores.shares import Split, splits
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.tiling import TilingOptions

OPTIONS = st.builds(Options, st.just(ArrayOptions()), st.just(TilingOptions()), st.booleans())


def drawn_ways(draw: Any, network: Network) -> list[Split]:
    return [draw(st.sampled_from(splits(layer))) for layer in network.layers]


@given(network=networks(), cores=st.integers(2, 4), options=OPTIONS, data=st.data())
def test_costs_add_up(network: Network, cores: int, options: Options, data: st.DataObject) -> None:
    """The total is that of the layers and of what passes to each from those that it reads."""
    costs = Costs(network, cores, options, TARGET)
    ways = drawn_ways(data.draw, network)
    expected = 0.0
    for layer in network.layers:
        way = ways[layer.index]
        assert costs.work(layer, way) > 0
        expected += costs.work(layer, way)
        for writer in costs.feeds[layer.index].values():
            assert writer.index < layer.index
            assert costs.passed(writer, ways[writer.index], layer, way) >= 0
            expected += costs.passed(writer, ways[writer.index], layer, way)
    assert costs.total(ways) == pytest.approx(expected)


@given(network=networks(), cores=st.integers(2, 4), options=OPTIONS, data=st.data())
def test_what_a_change_costs_is_what_the_total_says(
    network: Network, cores: int, options: Options, data: st.DataObject
) -> None:
    costs = Costs(network, cores, options, TARGET)
    ways = drawn_ways(data.draw, network)
    layer = data.draw(st.sampled_from(network.layers))
    way = data.draw(st.sampled_from(splits(layer)))
    changed = [*ways[: layer.index], way, *ways[layer.index + 1 :]]
    by_layer = costs.around(layer.index, way, ways) - costs.around(layer.index, ways[layer.index], ways)
    assert costs.total(changed) - costs.total(ways) == pytest.approx(by_layer, abs=1e-6)


@given(network=networks(), cores=st.integers(2, 4), options=OPTIONS)
def test_nothing_passes_where_each_computes_all(network: Network, cores: int, options: Options) -> None:
    costs = Costs(network, cores, options, TARGET)
    for layer in network.layers:
        for reader in costs.readers[layer.index]:
            for way in splits(reader):
                assert costs.passed(layer, "all", reader, way) == 0


@given(network=networks(), cores=st.integers(2, 4), options=OPTIONS)
def test_the_ways_chosen_are_a_local_optimum(network: Network, cores: int, options: Options) -> None:
    costs = Costs(network, cores, options, TARGET)
    ways = cooperative_ways(network, cores, options, TARGET)
    assert all(way in splits(layer) for way, layer in zip(ways, network.layers, strict=True))
    total = costs.total(ways)
    for layer in network.layers:
        for way in splits(layer):
            changed = [*ways[: layer.index], way, *ways[layer.index + 1 :]]
            assert total <= costs.total(changed) + 1e-6
    for start in ("rows", "blocks", "grid"):
        same: list[Split] = [start if start in splits(layer) else splits(layer)[-1] for layer in network.layers]
        assert total <= costs.total(same) + 1e-6
    assert ways == cooperative_ways(network, cores, options, TARGET)


@given(network=networks(), cores=st.integers(2, 4), options=OPTIONS, data=st.data())
def test_stages_are_cut_best(network: Network, cores: int, options: Options, data: st.DataObject) -> None:
    """Against all ways to cut, with arbitrary cycles of layers."""
    count = len(network.layers)
    cycles = data.draw(st.lists(st.integers(1, 20), min_size=count, max_size=count))

    def work(self: Costs, layer: Layer, way: Split) -> float:
        return float(cycles[layer.index])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose.Costs, "work", work)
        if count < cores:
            with pytest.raises(ValueError, match=f"{count} layers for {cores} stages"):
                pipeline_ways(network, cores, options, TARGET)
            return
        ways = pipeline_ways(network, cores, options, TARGET)
    assert [way for way in ways if isinstance(way, int)] == sorted(ways, key=str)
    assert set(ways) == set(range(cores))

    def slowest(cuts: tuple[int, ...]) -> int:
        return max(sum(cycles[a:b]) for a, b in zip((0, *cuts), (*cuts, count), strict=True))

    found = max(sum(c for c, way in zip(cycles, ways, strict=True) if way == core) for core in range(cores))
    assert found == min(map(slowest, combinations(range(1, count), cores - 1)))
