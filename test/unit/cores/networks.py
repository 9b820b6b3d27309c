"""Random networks for the tests of programs for several cores."""

from __future__ import annotations

from fuzz.graphs import Case, graphs
from hypothesis import strategies as st

from axir.passes.lowering.build_network import NetworkOptions, build_network
from axir.passes.lowering.cores.shares import Split, splits
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.tensors import port_name
from axir.target.description import load
from axir.target.isa import Memory

TARGET = load()


def network_of(case: Case, options: NetworkOptions | None = None) -> Network:
    return build_network(case.graph, case.store, TARGET, options or NetworkOptions())


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """The layers of a random graph, in every layout."""
    options = NetworkOptions(
        enable_swicr=draw(st.booleans()),
        rewrite_concat_to_resadd=draw(st.booleans()),
        remove_io_padding_and_layout_transform=draw(st.booleans()),
    )
    return network_of(draw(graphs()), options)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    return draw(st.sampled_from(draw(networks().filter(lambda network: bool(network.layers))).layers))


def all_ways(layer: Layer, cores: int) -> list[Split]:
    """Every way that `partition` takes: those to share it, and any core alone."""
    return [*splits(layer), *(core for core in range(cores) if core not in splits(layer))]


def homes(network: Network, memory: Memory = "l2") -> dict[str, Memory]:
    return {port_name(t.storage): memory for _, t, _ in (*network.inputs, *network.outputs)}
