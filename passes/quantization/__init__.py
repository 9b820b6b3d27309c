"""What `calibrate` and `quantize` are made of: observers, ranges, weights, tensors that share parameters."""
