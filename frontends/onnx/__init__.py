"""The ONNX front end: `import_model` turns an ONNX model into a module of the `ax` dialect."""

from axir.frontends.onnx.importer import import_model

__all__ = ["import_model"]
