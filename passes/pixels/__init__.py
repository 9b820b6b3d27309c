"""Tensors of any rank as pixels of channels: what attention needs on a device that knows [1, C, H, W] alone."""
