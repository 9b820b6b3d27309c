"""The settings of the memory map, as limits that the device passes know."""

from __future__ import annotations

from axir.compiler.config import CompilerConfig
from axir.ir.diagnostics import AxirError
from axir.target.description import Target

SETTINGS = {
    "l1": ("l1_size_used", "l1_size_reserved"),
    "l2": ("l2_size_used", "l2_size_reserved"),
    "ddr": ("ddr_size_used", "ddr_size_reserved"),
}


def apply_memory_map(config: CompilerConfig, target: Target) -> CompilerConfig:
    """`config` with the memory map's settings folded into `l1_constraint`, `l2_constraint` and `ddr_constraint`.

    A memory whose settings are the defaults has the sizes of the target description. Changed settings can only make
    it smaller: usable is (size used - size reserved), of L2 and DDR the fraction `resources_used`. A smaller
    `ddr_size_max` is a smaller `ddr_size_used`, where that is not given. Raises `AxirError` where they ask for more
    than the target has.
    """
    changed = config.changed()
    if "ddr_size_max" in changed and config.ddr_size_max > target.ddr.size:
        raise AxirError(
            f"ddr_size_max is {config.ddr_size_max:,} bytes; target '{target.name}' has {target.ddr.size:,} of ddr",
            notes=("a larger memory is another device: describe it in a file for --target",),
        )
    limits: dict[str, int] = {}
    for memory, (used, reserved) in SETTINGS.items():
        if used not in changed and reserved not in changed:
            continue
        sizes = {"l1": target.l1, "l2": target.l2, "ddr": target.ddr}[memory]
        asked = int(getattr(config, used)) - int(getattr(config, reserved))
        available = sizes.size - sizes.reserved
        if asked > available:
            raise AxirError(
                f"{used} - {reserved} is {asked:,} bytes; target '{target.name}' has {available:,} usable bytes "
                f"of {memory}",
                notes=("a larger memory is another device: describe it in a file for --target",),
            )
        share = 1.0 if memory == "l1" else config.resources_used
        constraint: int | None = getattr(config, f"{memory}_constraint")
        limit = int(share * asked)
        limits[f"{memory}_constraint"] = limit if constraint is None else min(limit, constraint)
    return config.replace(**limits)
