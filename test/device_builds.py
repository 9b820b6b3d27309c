"""Small quantized networks built with some settings, checked and run: what tests of device settings look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from axq_graphs import GraphBuilder, integer, random_inputs
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Simulator, Timing
from axir.backends.aipu.structure import Image
from axir.compiler import CompilerConfig
from axir.compiler.memory_map import apply_memory_map
from axir.compiler.pipeline import DEVICE_PASSES
from axir.compiler.session import Session
from axir.dialects import axq
from axir.dialects.base import ints, shape_of
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.interp.axq import Interpreter
from axir.target import isa
from axir.target.cost import dma_bytes
from axir.target.description import load
from axir.target.isa import Dma, VectorProgram

METIS = load()
ELEMENT = axq.QuantType.per_tensor(0.5, 3)


class Network(GraphBuilder):
    """Grows a graph of convolutions with random weights."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def take(self, channels: int, height: int, width: int) -> SSAValue:
        return self.input((1, channels, height, width), ELEMENT)

    def conv(
        self, source: SSAValue, outputs: int, kernel: int = 1, group: int = 1, steps: tuple[Step, ...] = (),
        extras: tuple[SSAValue, ...] = (),
    ) -> SSAValue:  # fmt: skip
        """A convolution that keeps the size."""
        _, channels, height, width = shape_of(source)
        weights = self.rng.integers(-127, 128, (outputs, channels // group, kernel, kernel)).astype(np.int8)
        properties = {
            "weight": self.constant(weights),
            "weight_scale": self.constant(self.rng.uniform(1e-3, 4e-3, outputs).astype(np.float32)),
            "bias": self.constant(self.rng.integers(-3000, 3000, outputs).astype(np.int32)),
            "strides": ints((1, 1)), "pads": ints((kernel // 2,) * 4), "dilations": ints((1, 1)),
            "group": integer(group), "epilogue": EpilogueAttr(steps),
        }  # fmt: skip
        return self.add(axq.ConvOp, [source, extras], properties, (1, outputs, height, width), ELEMENT)

    def concat(self, parts: list[SSAValue]) -> SSAValue:
        """A concatenation along the channels."""
        _, _, height, width = shape_of(parts[0])
        channels = sum(shape_of(part)[1] for part in parts)
        return self.add(axq.ConcatOp, [parts], {"axis": integer(1)}, (1, channels, height, width), ELEMENT)


@dataclass(frozen=True)
class Built:
    """A compiled network; its program has been checked and has given the reference's bytes."""

    data: bytes
    image: Image
    timing: Timing

    def tasks(self, unit: str) -> list[isa.Instruction]:
        return [task.instruction for task in self.image.cores[0][unit]]

    @property
    def copies(self) -> list[Dma]:
        return [t for unit in ("dma0", "dma1") for t in self.tasks(unit) if isinstance(t, Dma)]

    @property
    def programs(self) -> list[VectorProgram]:
        return [t for unit in ("array", "depthwise") for t in self.tasks(unit) if isinstance(t, VectorProgram)]

    def read(self, memory: str) -> int:
        """Bytes that copies read from a memory."""
        return sum(dma_bytes(dma) for dma in self.copies if dma.src.memory == memory)

    def constants(self, memory: str) -> dict[str, int]:
        return {c.label: c.data.size for c in self.image.constants if c.memory == memory}


def session_of(**settings: Any) -> Session:
    return Session(apply_memory_map(CompilerConfig(**settings), METIS), METIS)


def checked(session: Session, module: ModuleOp) -> tuple[bytes, Image, Timing]:
    """The program of a module with one `axq.graph`, built in place and run: it must give what the interpreter gives."""
    graph = module.body.block.first_op
    assert isinstance(graph, axq.GraphOp)
    inputs = random_inputs(graph, np.random.default_rng(1))
    expected = Interpreter(graph, session.context.store).run(inputs)
    session.run(module, *DEVICE_PASSES)
    data = build_image(program_of(module), session.context.store, session.target)
    image = read_image(data, session.target)
    simulator = Simulator(image, session.target)
    simulator.check()
    for want, got in zip(expected, simulator.run(inputs), strict=True):
        np.testing.assert_array_equal(got, want)
    return data, image, simulator.timing()


def built(network: Network, **settings: Any) -> Built:
    """The network with these settings, checked."""
    session = session_of(**settings)
    session.context.store.update(network.store)
    return Built(*checked(session, ModuleOp([network.graph.clone()])))
