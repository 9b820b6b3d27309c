"""Memory planning: packing of buffers whose lifetimes are known."""
