"""Emission for the depthwise unit and the vector unit: windows over each channel, and elementwise work."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.emission import Emission, output_fields
from axir.passes.lowering.jobs import Buffer, job, move
from axir.passes.lowering.network import Layer, WindowWork
from axir.passes.lowering.tensors import Tensor
from axir.passes.lowering.tiling import Tiling, domain, input_rows
from axir.target.isa import PWORD, Address, Depthwise, Vec


class WindowEmitter:
    """Tiles of rows and of channel blocks, one instruction each."""

    def __init__(self, emission: Emission):
        self.e = emission

    def emit(self, layer: Layer, work: WindowWork, tiling: Tiling) -> None:
        blocks_all, code = layer.output.blocks, layer.code
        params_size = len(code.vectors) * 256 * blocks_all
        taps = 0 if work.weights is None else work.weights.shape[1]
        size = params_size + blocks_all * taps * PWORD
        constants: Buffer | None = None
        source = self.e.constants(layer, size) if size else None
        if source is not None:
            assert source.parts is not None
            source.parts.append((0, lambda: code.parameter_blocks(layer.output.slots, blocks_all)))
            if work.weights is not None:
                weights = work.weights
                source.parts.append((params_size, lambda: _depthwise_weights(weights, layer.output, blocks_all)))
            constants = Buffer(f"{layer.name}.constants.l1", "l1", size)
        for first in range(0, domain(layer).rows, tiling.rows):
            last = min(first + tiling.rows, domain(layer).rows)
            for block in range(0, blocks_all, tiling.blocks):
                blocks = min(tiling.blocks, blocks_all - block)
                if source is not None and constants is not None and first == block == 0:
                    load = move(source, 0, constants, 0, size, self.e.load_queue, layer.index)
                    self.e.step.prefetch.append((load, self.e.constant_ready()))
                self._tile(layer, work, constants, params_size, taps, first, last, block, blocks)
                self.e.flush(layer)

    def _tile(
        self, layer: Layer, work: WindowWork, constants: Buffer | None, params_size: int, taps: int,
        first: int, last: int, block: int, blocks: int,
    ) -> None:  # fmt: skip
        g = work.geometry
        low, high = input_rows(layer, first, last)
        source = self.e.read(layer, layer.input, low, high, block, blocks)
        operands = [self.e.operand(layer, extra, first, last, block, blocks) for extra in layer.extras]
        out = self.e.write(layer, first, last, block, blocks)
        fields, buffers = self.e.program(layer, constants, block, operands)
        fields |= output_fields(out, operands, first, 0, 1, 1)
        window: dict[str, Any] = {
            "src": Address("l1", source.at(source.first_row)),
            "src_rows": source.rows,
            "row_bytes": layer.input.width * source.pitch,
            "row_pitch": source.row_pitch,
            "y0": first * g.strides[0] + g.origin[0] - source.first_row,
            "x0": g.origin[1] * source.pitch,
            "y_step": g.strides[0],
            "x_step": g.strides[1] * source.pitch,
            "tap_rows": g.kernel[0],
            "tap_columns": g.kernel[1],
            "tap_row_step": g.dilations[0],
            "tap_step": g.dilations[1] * source.pitch,
            "blocks": blocks,
            "pad": work.pad,
            "rows": last - first,
            "vectors": g.width,
            "pixels": g.width,
        }
        buffers |= {"src": source.buffer, "out": out.buffer}
        if work.mode == "vec":
            instruction = Vec(**fields, **window)
        else:
            weights: Address | None = None
            if work.weights is not None:
                weights = Address("l1", params_size + block * taps * PWORD)
                buffers["weights"] = constants
            instruction = Depthwise(**fields, **window, mode=work.mode, weights=weights, pad_lane=layer.code.pad_lane)
        self.e.step.jobs.append(job(instruction, "depthwise", layer.index, **buffers))
        self.e.drain(layer, out, first, last, block)


def _depthwise_weights(weights: NDArray[np.int8], tensor: Tensor, blocks: int) -> NDArray[np.uint8]:
    """[block][tap][64] from [C, taps]."""
    image = np.zeros((blocks, weights.shape[1], PWORD), np.int8)
    slots = tensor.slots
    image[slots // PWORD, :, slots % PWORD] = weights
    return image.reshape(-1).view(np.uint8)
