"""The device description: figures with status and source from a TOML file, and their typed view.

No figure of the device stands anywhere else in the code. `load(None)` is the shipped `metis.toml`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from axir.ir.diagnostics import AxirError

STATUSES = ("public", "measured", "derived", "assumption")


@dataclass(frozen=True)
class Figure:
    """One number of the device and where it comes from."""

    value: int
    unit: str
    status: str
    source: str


@dataclass(frozen=True)
class Device:
    cores: int
    frequency: int  # Hz
    pword: int  # bytes: the vector word, and the unit to which channels are padded
    page: int  # bytes: what L2 and DDR are given out in
    launch: int  # cycles before the first task of an inference
    dispatch: int  # cycles to start one descriptor
    control_wait: int  # cycles for a control core to see that a completion count is reached


@dataclass(frozen=True)
class Array:
    rows: int
    columns: int
    weight_sets: int
    vector_interval: int  # cycles for one input vector through one weight set
    zero_interval: int  # the same where a zero point is subtracted from the input
    column_block: int
    latency: int
    outputs: int  # int32 values a cycle to the vector unit
    load_bandwidth: int  # bytes a cycle into a weight set
    clear: int  # cycles to zero one set
    transpose_fill: int  # cycles before the first tile of a transposed load is written
    partial_bandwidth: int  # bytes a cycle of int32 partial sums, each way
    replication: int  # largest in-core replication factor
    replication_blocks: int  # most column blocks of a layer that is still replicated


@dataclass(frozen=True)
class Depthwise:
    lanes: int
    taps: int  # taps a cycle over all lanes
    max_taps: int
    latency: int


@dataclass(frozen=True)
class Vector:
    lanes: int
    steps: int  # program steps a cycle
    reciprocal: int  # cycles of one division, which nothing overlaps
    root: int  # cycles of one square root, which nothing overlaps
    operand_bandwidth: int  # bytes a cycle and operand


@dataclass(frozen=True)
class L1:
    size: int
    reserved: int
    port: int


@dataclass(frozen=True)
class L2:
    size: int
    reserved: int
    task_list: int  # bytes a core, where task lists are copied to L2
    bandwidth: int  # bytes a cycle, all cores together


@dataclass(frozen=True)
class Ddr:
    size: int
    reserved: int
    bandwidth: int  # bytes a second, all cores together


@dataclass(frozen=True)
class Dma:
    channels: int
    bandwidth: int  # bytes a cycle, each way, of one core's channels together
    beat: int  # bytes: a row of a copy takes whole beats
    setup: int
    multicast: int  # 1: a copy can feed several cores; 0: each core fetches for itself


@dataclass(frozen=True)
class SystemDma:
    bandwidth: int  # bytes a cycle, all queues together


@dataclass(frozen=True)
class Host:
    link: int  # bytes a second, one way at a time
    duplex: int  # bytes a second each way, both ways at a time
    copy: int  # bytes a second of a copy in the host's memory
    compute: int  # multiply-accumulates a second of the host in float
    call: int  # ns of the driver, a frame
    loop: int  # ns of the application around the call, a frame


@dataclass(frozen=True)
class Target:
    """A device: plain numbers by section, and `figures` ("section.name" -> Figure) with their sources."""

    name: str
    device: Device
    array: Array
    depthwise: Depthwise
    vector: Vector
    l1: L1
    l2: L2
    ddr: Ddr
    dma: Dma
    sysdma: SystemDma
    host: Host
    figures: dict[str, Figure] = dataclasses.field(compare=False, hash=False, repr=False)

    @property
    def ddr_bytes_per_cycle(self) -> float:
        return self.ddr.bandwidth / self.device.frequency

    def with_frequency(self, frequency: int) -> Target:
        """The same device at another clock; DDR and host link keep their bytes a second."""
        return dataclasses.replace(self, device=dataclasses.replace(self.device, frequency=frequency))


_SECTIONS: dict[str, type[Any]] = {
    "device": Device, "array": Array, "depthwise": Depthwise, "vector": Vector, "l1": L1, "l2": L2, "ddr": Ddr,
    "dma": Dma, "sysdma": SystemDma, "host": Host,
}  # fmt: skip


@cache
def load(path: str | None = None) -> Target:
    """Read a target description. Raises `AxirError` naming file and key for what is missing, unknown or illegal."""
    import tomli

    file = Path(path) if path is not None else Path(__file__).with_name("metis.toml")
    try:
        document = tomli.loads(file.read_text("utf-8"))
    except OSError as error:
        raise AxirError(f"cannot read the target description: {error.strerror}", location=str(file)) from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AxirError(f"the target description is not valid TOML: {error}", location=str(file)) from None
    name = document.pop("name", None)
    if not isinstance(name, str) or not name:
        raise AxirError("the target description needs a name", location=str(file))
    figures: dict[str, Figure] = {}
    sections = {key: _section(file, key, kind, document.pop(key, None), figures) for key, kind in _SECTIONS.items()}
    if document:
        raise AxirError(
            f"unknown section '{sorted(document)[0]}'", location=str(file), notes=(f"known: {', '.join(_SECTIONS)}",)
        )
    return Target(name=name, figures=figures, **sections)


def _section(file: Path, section: str, kind: type[Any], table: Any, figures: dict[str, Figure]) -> Any:
    if not isinstance(table, dict):
        raise AxirError(f"section [{section}] is missing", location=str(file))
    entries = cast(dict[str, Any], table)
    names = [field.name for field in dataclasses.fields(kind)]
    for key in entries:
        if key not in names:
            raise AxirError(
                f"unknown figure {section}.{key}", location=str(file), notes=(f"known: {', '.join(names)}",)
            )
    values: dict[str, int] = {}
    for key in names:
        figure = _figure(file, f"{section}.{key}", entries.get(key))
        figures[f"{section}.{key}"] = figure
        values[key] = figure.value
    return kind(**values)


def _figure(file: Path, key: str, entry: Any) -> Figure:
    if not isinstance(entry, dict) or set(cast(dict[str, Any], entry)) != {"value", "unit", "status", "source"}:
        raise AxirError(f"{key} needs value, unit, status and source", location=str(file))
    figure = Figure(**cast(dict[str, Any], entry))
    if isinstance(figure.value, bool) or not isinstance(cast(object, figure.value), int) or figure.value < 0:
        raise AxirError(f"{key} must be a whole number >= 0, not {figure.value!r}", location=str(file))
    if figure.status not in STATUSES:
        raise AxirError(
            f"{key} has status '{figure.status}'", location=str(file), notes=(f"one of {', '.join(STATUSES)}",)
        )
    if not figure.source:
        raise AxirError(f"{key} names no source", location=str(file))
    return figure
