"""How the host feeds a compiled model: settings of the compiler that only the runtime acts upon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class RuntimeOptions:
    """The settings of docs/config.md with these names, as model.json records them. What they cost: `FrameTimes`."""

    input_dmabuf: bool = False
    output_dmabuf: bool = False
    double_buffer: bool = True
    host_processes_used: int = 1
    multicore_mode: str = "multiprocess"

    def processes(self, instances: int) -> int:
        """Host processes that share the calls of `instances`; an instance is fed by one."""
        return min(self.host_processes_used, instances)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> RuntimeOptions:
        """Raises `KeyError` for a missing and `TypeError` for an ill-typed option."""
        defaults = RuntimeOptions()
        for field in fields(RuntimeOptions):
            if type(value[field.name]) is not type(getattr(defaults, field.name)):
                raise TypeError(f"runtime option {field.name} is {value[field.name]!r}")
        return RuntimeOptions(**{field.name: value[field.name] for field in fields(RuntimeOptions)})
