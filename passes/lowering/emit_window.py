"""Emission for the depthwise unit and the vector unit: windows over each channel, and elementwise work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.emission import Emission, output_fields
from axir.passes.lowering.jobs import Buffer, Job, job
from axir.passes.lowering.network import Layer, NormalizeFields, SoftmaxFields, WindowWork
from axir.passes.lowering.tensors import Tensor
from axir.passes.lowering.tiling import Tiling, input_rows, row_tiles
from axir.target.isa import PWORD, Address, Depthwise, Normalize, Softmax, Vec


@dataclass(eq=False)
class WindowRun:
    """A layer under way."""

    layer: Layer
    work: WindowWork
    tiling: Tiling
    constants: Buffer | None  # parameter blocks, then weights, in L1
    loads: list[Job]  # what copies them there, until the first tile has issued it
    params_size: int
    taps: int


class WindowEmitter:
    """Tiles of rows and of channel blocks, one instruction each."""

    def __init__(self, emission: Emission):
        self.e = emission

    def emit(self, layer: Layer, work: WindowWork, tiling: Tiling) -> None:
        run = self.begin(layer, work, tiling)
        for first, last in row_tiles(layer, tiling):
            self.tile(run, first, last)

    def begin(self, layer: Layer, work: WindowWork, tiling: Tiling) -> WindowRun:
        """Place the constants."""
        blocks_all, code = layer.output.blocks, layer.code
        params_size = layer.parameter_bytes
        taps = 0 if work.weights is None else work.weights.shape[1]
        size = params_size + blocks_all * taps * PWORD
        constants: Buffer | None = None
        loads: list[Job] = []
        if size:
            source = self.e.constants(layer, params_size, size)
            if params_size:
                source.add(0, lambda: code.parameter_blocks(layer.output.slots, blocks_all))
            if work.weights is not None:
                weights = work.weights
                source.add(params_size, lambda: _depthwise_weights(weights, layer.output, blocks_all))
            constants = source.in_l1
            if constants is None:
                constants = Buffer(f"{layer.name}.constants.l1", "l1", size)
                loads = source.copies(constants, self.e.load_queue, layer.index)
        return WindowRun(layer, work, tiling, constants, loads, params_size, taps)

    def tile(self, run: WindowRun, first: int, last: int) -> None:
        """Emit output rows [first, last) of the layer."""
        layer, tiling = run.layer, run.tiling
        for block in range(0, layer.output.blocks, tiling.blocks):
            blocks = min(tiling.blocks, layer.output.blocks - block)
            self.e.step.prefetch.extend((load, self.e.constant_ready()) for load in run.loads)
            run.loads = []
            self._tile(layer, run.work, run.constants, run.params_size, run.taps, first, last, block, blocks)
            self.e.flush(layer)

    def _tile(
        self, layer: Layer, work: WindowWork, constants: Buffer | None, params_size: int, taps: int,
        first: int, last: int, block: int, blocks: int,
    ) -> None:  # fmt: skip
        if work.softmax is not None:
            self._softmax(layer, work.softmax, first, last)
            return
        if work.normalize is not None:
            self._normalize(layer, work.normalize, constants, first, last)
            return
        g = work.geometry
        low, high = input_rows(layer, first, last)
        source = self.e.read(layer, layer.input, low, high, block, blocks)
        operands = [self.e.operand(layer, number, first, last, block, blocks) for number in range(len(layer.extras))]
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

    def _normalize(
        self, layer: Layer, fields: NormalizeFields, constants: Buffer | None, first: int, last: int
    ) -> None:
        """Whole pixels of rows [first, last)."""
        blocks = layer.output.blocks
        source = self.e.read(layer, layer.input, first, last, 0, blocks)
        out = self.e.write(layer, first, last, 0, blocks)
        instruction = Normalize(
            **asdict(fields),
            src=Address("l1", source.at(first)),
            row_pitch=source.row_pitch,
            pitch=source.pitch,
            rows=last - first,
            pixels=layer.output.width,
            params=Address("l1", 0),
            out=Address("l1", out.at(first)),
            out_row_pitch=out.row_pitch,
            out_pitch=out.pitch,
        )
        buffers = {"src": source.buffer, "params": constants, "out": out.buffer}
        self.e.step.jobs.append(job(instruction, "depthwise", layer.index, **buffers))
        self.e.drain(layer, out, first, last, 0)

    def _softmax(self, layer: Layer, fields: SoftmaxFields, first: int, last: int) -> None:
        """Whole pixels of rows [first, last)."""
        blocks = layer.output.blocks
        source = self.e.read(layer, layer.input, first, last, 0, blocks)
        out = self.e.write(layer, first, last, 0, blocks)
        table = self.e.table(layer)
        instruction = Softmax(
            **asdict(fields),
            src=Address("l1", source.at(first)),
            row_pitch=source.row_pitch,
            pitch=source.pitch,
            rows=last - first,
            pixels=layer.output.width,
            table=Address("l1", 0),
            out=Address("l1", out.at(first)),
            out_row_pitch=out.row_pitch,
            out_pitch=out.pitch,
        )
        buffers = {"src": source.buffer, "table": table, "out": out.buffer}
        self.e.step.jobs.append(job(instruction, "depthwise", layer.index, **buffers))
        self.e.drain(layer, out, first, last, 0)


def _depthwise_weights(weights: NDArray[np.int8], tensor: Tensor, blocks: int) -> NDArray[np.uint8]:
    """[block][tap][64] from [C, taps]."""
    image = np.zeros((blocks, weights.shape[1], PWORD), np.int8)
    slots = tensor.slots
    image[slots // PWORD, :, slots % PWORD] = weights
    return image.reshape(-1).view(np.uint8)
