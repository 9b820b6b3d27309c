"""What a compilation is asked to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import ModuleOp

from axir.compiler.config import CompilerConfig
from axir.compiler.dataset import Samples
from axir.compiler.multicore import Goal
from axir.compiler.quantized_model import QuantizedModel, saved_name
from axir.compiler.session import Session
from axir.target.description import Target

if TYPE_CHECKING:
    from onnx import ModelProto

MakeSamples = Callable[[ModuleOp, Session], Samples]
"""Makes the calibration samples, once the imported module tells the model's inputs."""

_WRITTEN = ("output", "dump_ir")
"""Arguments that name what is written."""


@dataclass(frozen=True)
class Request:
    """What to compile, and how.

    `target_file` is the target description when it is not the shipped one, `reads` are further files that belong to
    the input: a card, its config, its weights. Without `host_islands`, an operator in the middle that the device cannot
    run is an error. With `goal` the ways for cores to work are tried, and the best for latency or throughput is taken
    in the place of the settings about cores. `notes` and `warnings` are lines for the log.
    """

    model: str | Path | ModelProto | QuantizedModel
    config: CompilerConfig
    target: Target
    samples: MakeSamples
    target_file: Path | None = None
    input_shapes: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])
    check: int = 0
    host_islands: bool = True
    goal: Goal | None = None
    dump_ir: Path | None = None
    arguments: Mapping[str, Any] | None = None
    reads: Sequence[Path] = ()
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The model's name, for reports."""
        if self.config.model_name:
            return self.config.model_name
        match self.model:
            case str() | Path():
                return saved_name(Path(self.model))
            case QuantizedModel():
                return self.model.name
            case proto:
                return proto.graph.name or "model"

    @property
    def path(self) -> Path | None:
        return Path(self.model) if isinstance(self.model, str | Path) else None

    @property
    def inputs(self) -> list[Path]:
        """The files and folders that the compilation reads, as far as the request names them."""
        given = {name: value for name, value in (self.arguments or {}).items() if name not in _WRITTEN}
        # A transform is FILE.py:function.
        named = [Path(value.partition(":")[0]) for value in given.values() if isinstance(value, str)]
        return [
            file
            for file in (self.path, self.target_file, *self.reads, *named)
            if file is not None and os.path.exists(file)
        ]
