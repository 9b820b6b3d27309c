"""The device: its description (metis.toml), its instruction set and its cost functions."""
