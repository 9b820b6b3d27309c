"""Emission of layout changes: between the dense NCHW tensor of the host and rows of padded pixels, by byte copies."""

from __future__ import annotations

from axir.passes.lowering.emission import Emission
from axir.passes.lowering.jobs import Buffer, Job, Place, job
from axir.passes.lowering.network import Layer
from axir.passes.lowering.tensors import Tensor
from axir.target.isa import PWORD, Address, Dma


def emit_layout(e: Emission, layer: Layer) -> None:
    """One copy for each run of channels; before it, where pixels are padded, one that fills all of them with zeros.

    The array reads whole pwords, so padding must be written. A row of these copies is a single byte, unless the tensor
    has one pixel: channels are neighbours on one side only, pixels on the other.
    """
    packs = layer.output.order == "NHWC"
    padded, dense = (layer.output, layer.input) if packs else (layer.input, layer.output)
    queue = e.load_queue if packs else e.store_queue
    if packs and padded.storage.size != padded.channels * padded.height * padded.width:
        e.step.jobs.append(_fill(e, e.home(padded).buffer, queue, layer))
    channel = 0
    for count, slot in padded.runs:
        e.step.jobs.append(_transpose(padded, e.home(padded), slot, e.home(dense), channel, count, packs, queue, layer))
        channel += count
    e.flush(layer)


def _fill(e: Emission, target: Buffer, queue: str, layer: Layer) -> Job:
    """Zeros all over a buffer: one pword of them, read again and again."""
    zeros = e.zero_pword(layer)
    dma = Dma(
        src=Address(zeros.memory, 0), dst=Address(target.memory, 0), row_bytes=PWORD, count0=target.size // PWORD,
        dst_step0=PWORD,
    )  # fmt: skip
    return job(dma, queue, layer.index, src=zeros, dst=target)


def _transpose(
    tensor: Tensor, padded: Place, slot: int, dense: Place, channel: int, count: int, packs: bool, queue: str,
    layer: Layer,
) -> Job:  # fmt: skip
    """`count` channels, from byte `slot` of a padded pixel and from number `channel` of the dense tensor on."""
    height, width = tensor.height, tensor.width
    row_bytes = count if height * width == 1 else 1
    walk = [(width, padded.pitch, 1), (height, padded.row_pitch, width), (count // row_bytes, 1, height * width)]
    if padded.row_pitch == width * padded.pitch:
        walk[:2] = [(height * width, padded.pitch, 1)]
    fields: dict[str, int] = {}
    for number, (size, step, dense_step) in enumerate(entry for entry in walk if entry[0] > 1):
        steps = (dense_step, step) if packs else (step, dense_step)
        fields |= {f"count{number}": size, f"src_step{number}": steps[0], f"dst_step{number}": steps[1]}
    outer = Address(padded.buffer.memory, padded.offset + slot)
    inner = Address(dense.buffer.memory, dense.offset + channel * height * width)
    src, dst = (inner, outer) if packs else (outer, inner)
    buffers = (dense.buffer, padded.buffer) if packs else (padded.buffer, dense.buffer)
    return job(Dma(src=src, dst=dst, row_bytes=row_bytes, **fields), queue, layer.index, src=buffers[0], dst=buffers[1])
