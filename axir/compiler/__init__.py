"""The compiler as a library: `quantize`, `compile`, `CompilerConfig`."""

from axir.compiler.api import compile, quantize
from axir.compiler.config import CompilerConfig

__all__ = ["CompilerConfig", "compile", "quantize"]
