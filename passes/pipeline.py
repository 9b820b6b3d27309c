"""The order of the passes."""

GRAPH_PASSES: tuple[str, ...] = (
    "canonicalize-graph",
    "dense-to-conv",
    "global-to-window-pool",
    "split-host",
    "fuse-epilogue",
)
"""From an imported network to the fused graph of the device, with the host's graphs around it."""
