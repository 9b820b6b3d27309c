"""From the quantized graph to tasks: tensors, layers, mapping onto units, placement and tiling, emission."""
