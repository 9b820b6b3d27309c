"""`axdevice`: which devices there are, what they have, and who would have what of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool

# Only light modules above: `axdevice --help` must not wait for NumPy.
if TYPE_CHECKING:
    from axir.runtime import Context, Device, Extent


DEVICE_IMAGE = "device.axm"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axdevice",
        description="List devices, their cores and memories, and what is in use. There is no chip: a device is a model "
        "in software that lives in the process that uses it, so nothing is in use but what is named here.",
    )
    parser.add_argument(
        "models", metavar="MODEL[:N]", nargs="*",
        help="load N instances (default 1) of a compiled model, or the models of a device image (device.axm), and show "
        "who has what",
    )  # fmt: skip
    parser.add_argument("--target", metavar="FILE.toml", help="device description (default: the shipped metis.toml)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--version", action="version", version=f"axdevice {__version__}")
    return parser


def _described(device: Device, context: Context) -> dict[str, Any]:
    target, allocator = device.target, context.allocator(device)
    sizes = {"l1": target.l1, "l2": target.l2, "ddr": target.ddr}
    memories: dict[str, Any] = {
        name: {"bytes": memory.size, "reserved": memory.reserved, "usable": memory.size - memory.reserved}
        for name, memory in sizes.items()
    }
    for name in ("l2", "ddr"):
        free = allocator.free(name)
        memories[name] |= {"free": free, "in_use": memories[name]["usable"] - free}
    return {
        "name": device.name,
        "simulated": device.simulated,
        "cores": device.cores,
        "frequency_hz": target.device.frequency,
        "cores_in_use": {
            str(core): holding.owner
            for holding in allocator.holdings()
            for core in range(holding.first_core, holding.first_core + holding.cores)
        },
        "memories": memories,
        "memory_map": [extent._asdict() for extent in context.memory_map(device)],
    }


def _lines(device: Device, described: dict[str, Any], extents: Sequence[Extent]) -> list[str]:
    from axir.tools.summary import table

    lines = [f"{device}, {described['frequency_hz'] / 1e6:g} MHz"]
    used: dict[str, str] = described["cores_in_use"]
    lines.append("cores   " + ", ".join(f"{core} {used.get(str(core), 'free')}" for core in range(device.cores)))
    rows = [["memory", "bytes", "reserved", "in use", "free"]]
    for name, memory in described["memories"].items():
        of_a_core = [f"{memory[key]:,}" if key in memory else "a core's own" for key in ("in_use", "free")]
        rows.append([name, f"{memory['bytes']:,}", f"{memory['reserved']:,}", *of_a_core])
    lines += ["", *table(rows, "<>>>>")]
    if used:
        rows = [["memory", "from", "to", "bytes", "owner"]]
        rows += [[e.memory, f"0x{e.start:x}", f"0x{e.end:x}", f"{e.end - e.start:,}", e.owner] for e in extents]
        lines += ["", *table(rows, "<>>><")]
    return lines


def _load(context: Context, models: Sequence[str]) -> None:
    """Put instances on the first device. Raises `OSError` and `AxirError`."""
    from axir.runtime import load_model

    for text in models:
        if Path(text).name == DEVICE_IMAGE:
            _load_linked(context, Path(text))
            continue
        path, colon, number = text.rpartition(":")
        if not colon or not number.isdigit():
            path, number = text, "1"
        if int(number) < 1:
            raise AxirError(f"{text}: the number of instances must be 1 or more")
        model = load_model(path)
        for index in range(int(number)):
            name = model.file.name if int(number) == 1 else f"{model.file.name}.{index}"
            context.device_connect(num_sub_devices=model.file.cores).load_model_instance(model, name)


def _load_linked(context: Context, image: Path) -> None:
    """The models of a device image, in their places. Raises `OSError` and `AxirError`."""
    from axir.backends.aipu.device_image import read_device_image
    from axir.runtime import load_model

    target = context.list_devices()[0].target
    names = dict.fromkeys(placed.model for placed in read_device_image(image, target))
    connection = context.device_connect(num_sub_devices=target.device.cores)
    for name in names:
        connection.load_model_instance(load_model(image.parent / name), name)


def _main(arguments: argparse.Namespace) -> int:
    from axir.runtime import Context

    with Context(arguments.target) as context:
        _load(context, arguments.models)
        described = {device: _described(device, context) for device in context.list_devices()}
        if arguments.json:
            print(json.dumps([*described.values()], indent=2))
            return 0
        for device, entry in described.items():
            print("\n".join(_lines(device, entry, context.memory_map(device))))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line tool; `argv` defaults to the process's. Returns the exit code."""
    arguments = _parser().parse_args(argv)
    return run_tool(lambda: _main(arguments))


if __name__ == "__main__":
    sys.exit(main())
