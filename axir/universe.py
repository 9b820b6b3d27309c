"""AXIR for stock `xdsl-opt`: the object behind the entry point group `xdsl.universe`."""

from __future__ import annotations

from xdsl.universe import Universe

from axir.registry import DIALECTS, PASSES

# xDSL brings its own dialects and passes, and refuses two of one name.
AXIR_UNIVERSE = Universe(
    all_dialects={name: factory for name, factory in DIALECTS.items() if name in ("ax", "axq", "aipu")},
    all_passes={name: entry.load for name, entry in PASSES.items() if entry.module.startswith("axir.")},
)
