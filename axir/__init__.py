"""AXIR: an open compiler for AIPU-class accelerators, built on xDSL."""

__version__ = "0.1.0"
