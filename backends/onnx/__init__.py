"""`ax` graphs as ONNX models."""

from axir.backends.onnx.export import export_graph

__all__ = ["export_graph"]
