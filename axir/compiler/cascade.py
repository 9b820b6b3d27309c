"""Several models on one device: whether they fit beside each other, and their programs linked into one device image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axir.backends.aipu.device_image import Placed, write_device_image
from axir.compiler.config import CompilerConfig
from axir.compiler.output import write_json
from axir.ir.diagnostics import AxirError
from axir.ir.files import atomic_open
from axir.runtime.allocation import Allocator, Holding
from axir.runtime.model import Model, load_model
from axir.target.description import Target

DEVICE_IMAGE = "device.axm"
DEVICE_FILE = "device.json"


@dataclass(frozen=True)
class Share:
    """What a model of a card asks for, and where that stands."""

    name: str
    config: CompilerConfig
    place: str

    @property
    def row(self) -> str:
        cores = self.config.aipu_cores_used
        return f"{self.name}: aipu_cores_used {cores}, resources_used {self.config.resources_used:g}"


def check_cascade(shares: Sequence[Share], target: Target) -> None:
    """Raise `AxirError` where models together ask for more cores, or more of the memory, than the device has."""
    cores = sum(share.config.aipu_cores_used for share in shares)
    resources = sum(share.config.resources_used for share in shares)
    problems: list[str] = []
    if cores > target.device.cores:
        problems.append(f"{cores} cores of {target.device.cores}")
    if resources > 1:
        problems.append(f"{resources:g} of the memory")
    if not problems:
        return
    raise AxirError(
        f"the models of the card do not fit the device together: they ask for {' and '.join(problems)}",
        location=shares[0].place,
        notes=(
            *(share.row for share in shares),
            f"let aipu_cores_used add up to at most {target.device.cores} and resources_used to at most 1 (multiples "
            "of 0.25), or compile each for itself with --no-cascade",
        ),
    )


def link(names: Sequence[str], folder: Path) -> list[Holding]:
    """Write the device image of compiled models in `folder`/NAME, and `device.json`, which says who has what.

    Programs get cores and memory in the order of the models. Raises `AxirError` where they do not fit.
    """
    models = [load_model(folder / name) for name in names]
    holdings = place(models, names)
    programs = [
        Placed(name, segment, (model.path.parent / part.program).read_bytes(), region)
        for name, model, holding in zip(names, models, holdings, strict=True)
        for segment, (part, region) in enumerate(zip(model.file.segments, holding.regions, strict=True))
    ]
    with atomic_open(folder / DEVICE_IMAGE) as file:
        file.write(write_device_image(programs, models[0].target))
    write_json(folder / DEVICE_FILE, _described(models[0].target, holdings))
    return holdings


def place(models: Sequence[Model], names: Sequence[str]) -> list[Holding]:
    """Cores and memory for each model on an empty device, in their order."""
    target = models[0].target
    allocator = Allocator(target)
    return [
        allocator.take(name, model.images, range(target.device.cores))
        for name, model in zip(names, models, strict=True)
    ]


def _described(target: Target, holdings: Sequence[Holding]) -> dict[str, Any]:
    return {
        "format": "axir-device",
        "version": 1,
        "target": target.name,
        "program": DEVICE_IMAGE,
        "models": [
            {
                "name": holding.owner,
                "model": f"{holding.owner}/compiled_model/model.json",
                "cores": list(range(holding.first_core, holding.first_core + holding.cores)),
                "memory": [
                    {"memory": extent.memory, "start": extent.start, "end": extent.end} for extent in holding.extents
                ],
            }
            for holding in holdings
        ],
    }


def holding_lines(holdings: Sequence[Holding]) -> list[str]:
    """Who has what, as a table."""
    from axir.tools.summary import table

    rows = [["model", "cores", "L2 from", "L2 bytes", "DDR from", "DDR bytes"]]
    for holding in holdings:
        cores = ", ".join(map(str, range(holding.first_core, holding.first_core + holding.cores)))
        row = [holding.owner, cores]
        for memory in ("l2", "ddr"):
            own = [extent for extent in holding.extents if extent.memory == memory]
            size = sum(extent.end - extent.start for extent in own)
            row += [f"0x{min(extent.start for extent in own):x}" if own else "-", f"{size:,}"]
        rows.append(row)
    return table(rows, "<<>>>>")
