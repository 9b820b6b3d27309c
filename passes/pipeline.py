"""The order of the passes."""

GRAPH_PASSES: tuple[str, ...] = (
    "force-split",
    "tokens-to-pixels",
    "canonicalize-graph",
    "dense-to-conv",
    "global-to-window-pool",
    "rearrange",
    "split-host",
    "remove-layout-transform",
    "drop-host-parts",
    "validate-operators",
    "fuse-epilogue",
    "equalize-layers",
)
"""From an imported network to the fused graph of the device, with the host's graphs around it."""
