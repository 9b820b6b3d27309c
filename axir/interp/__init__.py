"""Reference interpreters: what a graph of each level computes, with NumPy and nothing of the device."""
