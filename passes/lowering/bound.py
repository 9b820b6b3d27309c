"""The device's lower bound for a network: what each resource needs at perfect use, whatever the program does."""

from __future__ import annotations

from math import ceil

from axir.passes.lowering.network import MatMulWork, Network, WindowWork
from axir.passes.lowering.pools import Pools
from axir.target.description import Target


def lower_bound(network: Network, l2_budget: int, pools: Pools, target: Target) -> dict[str, int]:
    """Cycles a frame by resource; their greatest is the bound at perfect overlap.

    Array: MACs over its peak. Depthwise: window taps over its lanes. Vector: a pword of results a cycle in each of the
    two vector units. Load: each weight byte, and of a product of two tensors each byte of the second, once through the
    array's port. Dma: weights, inputs and outputs through the copy engines, but not what lives in L1 (`pools`). L2: the
    same bytes through its banks. Ddr: the weights that L2 cannot hold. Link: inputs and outputs to and from the host,
    which is no part of a program's own time.
    No padding of channels is counted, and no launch.
    """
    macs = taps = results = array_weights = other_weights = loaded = 0
    for layer in network.layers:
        output = layer.output.channels * layer.output.height * layer.output.width
        if layer.work is None:
            continue
        results += output
        if isinstance(layer.work, WindowWork):
            g = layer.work.geometry
            taps += output * g.kernel[0] * g.kernel[1] if not layer.work.vector_only else 0
            other_weights += layer.weight_bytes
        else:
            macs += layer.macs
            array_weights += layer.weight_bytes
            if isinstance(layer.work, MatMulWork):
                matrix = layer.work.matrix
                loaded += matrix.channels * matrix.height * matrix.width
    ports = sum(t.channels * t.height * t.width for _, t, _ in (*network.inputs, *network.outputs))
    constants = array_weights + other_weights if pools.constant != "l1" else 0
    moved = constants + (ports if pools.io != "l1" else 0)
    array, depthwise = target.array, target.depthwise
    return {
        "array": ceil(macs * array.vector_interval / (array.rows * array.columns)),
        "depthwise": ceil(taps / (depthwise.lanes * depthwise.taps)),
        "vector": ceil(results / target.vector.lanes / 2),
        "load": ceil((array_weights + loaded) / array.load_bandwidth),
        "dma": ceil(moved / target.dma.bandwidth),
        "l2": ceil(moved / target.l2.bandwidth),
        "ddr": ceil(max(0, constants - l2_budget) / target.ddr_bytes_per_cycle),
        "link": ceil(ports * target.device.frequency / target.host.link),
    }
