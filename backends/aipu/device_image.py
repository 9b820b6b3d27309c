"""A device image: programs that run side by side on one device, each with its place on it, as one ELF file.

.axir.device          JSON: which program is which, and its region
.axir.program.<n>     the image of a program, as `image.py` writes it
.axir.sums            SHA-256 of every section and of the rest
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np

from axir.backends.aipu.elf import DamagedElf, ElfFile, Section, Symbol, read_elf, write_elf
from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator.region import Region, check_disjoint
from axir.backends.aipu.structure import Image
from axir.ir.diagnostics import AxirError
from axir.target.description import Target

FORMAT = 1


@dataclass(frozen=True)
class Placed:
    """A program of a model and its place: `segment` counts the programs of a model, which share cores."""

    model: str
    segment: int
    data: bytes
    region: Region


def write_device_image(programs: Sequence[Placed], target: Target) -> bytes:
    """Encode; equal programs in equal places give equal bytes.

    Raises `AxirError` where programs are for another target, or two share a core or memory.
    """
    check_places([(placed, read_image(placed.data, target)) for placed in programs], target)
    meta = {
        "format": FORMAT,
        "target": target.name,
        "programs": [{"model": p.model, "segment": p.segment, "region": asdict(p.region)} for p in programs],
    }
    sections = [Section(".axir.device", _bytes(json.dumps(meta, separators=(",", ":")).encode()))]
    symbols: list[Symbol] = []
    for number, placed in enumerate(programs):
        name = f".axir.program.{number}"
        sections.append(Section(name, _bytes(placed.data)))
        symbols.append(Symbol(f"{placed.model}.{placed.segment}", name, placed.region.l2_base, placed.region.l2_size))
    return write_elf(ElfFile(tuple(sections), tuple(symbols), ()))


def read_device_image(path: Path, target: Target | None = None) -> list[Placed]:
    """Decode and check. Raises `OSError`, and `AxirError` for what is no device image, or a damaged one."""
    data = path.read_bytes()
    note = "a device image is what axc writes as device.axm for a card of several models"
    try:
        sections = {section.name: section for section in read_elf(_bytes(data), BytesIO(data)).sections}
        meta = cast(dict[str, Any], json.loads(sections[".axir.device"].data.tobytes()))
        if meta["format"] != FORMAT:
            raise AxirError(f"device image format {meta['format']}, this AXIR reads {FORMAT}", location=str(path))
        programs = [
            Placed(
                str(entry["model"]),
                int(entry["segment"]),
                sections[f".axir.program.{number}"].data.tobytes(),
                Region(**entry["region"]),
            )
            for number, entry in enumerate(meta["programs"])
        ]
    except DamagedElf as error:
        raise AxirError(f"not a whole device image: {error}", location=str(path), notes=(note,)) from None
    except (LookupError, TypeError, ValueError):
        raise AxirError("not a device image", location=str(path), notes=(note,)) from None
    if target is not None:
        check_places([(placed, read_image(placed.data, target)) for placed in programs], target)
    return programs


def check_places(programs: Sequence[tuple[Placed, Image]], target: Target) -> None:
    """Raise `AxirError` for a region that the device does not have, or the program does not fit, or another meets."""
    for placed, image in programs:
        placed.region.check(image, target)
        for memory in ("l2", "ddr"):
            if image.memory.get(memory, 0) > placed.region.room(memory):
                raise AxirError(
                    f"the program of '{placed.model}' needs {image.memory[memory]:,} bytes of {memory}, its region has "
                    f"{placed.region.room(memory):,}"
                )
    for (one, first), (other, second) in combinations(programs, 2):
        check_disjoint((first, one.region), (second, other.region), one.model == other.model)


def _bytes(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(data, np.uint8)
