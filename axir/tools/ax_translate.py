"""`ax-translate`: between MLIR text and the formats outside of it; one translation a run, no passes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool

# Only light modules above: `ax-translate --help` must not wait for xDSL and NumPy.
if TYPE_CHECKING:
    from collections.abc import Callable

    from xdsl.dialects.builtin import ModuleOp

    from axir.ir.context import AxContext
    from axir.target.description import Target

_EPILOG = """\
examples:
  ax-translate --onnx-to-mlir model.onnx -o model.mlir          weights go to model.safetensors
  ax-translate --mlir-to-image program.mlir -o model.axm        a program with addresses and tokens
  ax-translate --image-to-mlir model.axm                        what the device will run
  ax-translate --axq-to-qdq quantized_model.mlir -o model.onnx  for ONNX Runtime
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ax-translate",
        description="Translate between MLIR text, ONNX models and program images.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", nargs="?", default="-", help="the file to translate; '-' (default) is stdin")
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="write here instead of to stdout")
    parser.add_argument("--version", action="version", version=f"ax-translate {__version__}")
    kind = parser.add_mutually_exclusive_group(required=True)
    for name, (_, text) in TRANSLATIONS.items():
        kind.add_argument(f"--{name}", dest="translation", action="store_const", const=name, help=text)
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="weights that a module refers to (default: INPUT.safetensors or weights.safetensors beside the input)",
    )
    parser.add_argument(
        "--input-shape",
        action="append",
        default=[],
        metavar="NAME=1,3,224,224",
        help="shape of an input of an .onnx model that leaves it open; may be repeated",
    )
    parser.add_argument("--target", metavar="FILE.toml", help="device description (default: the shipped metis.toml)")
    return parser


def _onnx_to_mlir(arguments: argparse.Namespace) -> None:
    from axir.frontends.onnx import import_model
    from axir.ir.context import make_context
    from axir.tools.arguments import input_shapes

    shapes = input_shapes(arguments.input_shape)
    ctx = make_context()
    if arguments.input == "-":
        raise AxirError("an ONNX model is read from a file, not from stdin")
    _write_module(ctx, import_model(arguments.input, ctx, input_shapes=shapes), arguments.output)


def _mlir_to_image(arguments: argparse.Namespace) -> None:
    from axir.backends.aipu.image import build_image

    ctx, module = _read_module(arguments)
    _write_bytes(build_image(module, ctx.store, _target(arguments)), arguments.output)


def _image_to_mlir(arguments: argparse.Namespace) -> None:
    from axir.backends.aipu.disassemble import disassemble
    from axir.backends.aipu.image import read_image
    from axir.ir.context import make_context

    # A given target is one to check against; without one, any image can be read.
    target = _target(arguments) if arguments.target is not None else None
    source = sys.stdin.buffer.read() if arguments.input == "-" else Path(arguments.input)
    ctx = make_context()
    _write_module(ctx, disassemble(read_image(source, target), ctx.store), arguments.output)


def _axq_to_qdq(arguments: argparse.Namespace) -> None:
    from axir.backends.qdq.export import export_qdq
    from axir.dialects import axq

    ctx, module = _read_module(arguments)
    graphs = [op for op in module.body.block.ops if isinstance(op, axq.GraphOp)]
    if len(graphs) != 1:
        raise AxirError(
            f"expected one axq.graph, the module holds {len(graphs)}", op=module, notes=("quantize the network first",)
        )
    _write_bytes(export_qdq(graphs[0], ctx.store).SerializeToString(deterministic=True), arguments.output)


TRANSLATIONS: dict[str, tuple[Callable[[argparse.Namespace], None], str]] = {
    "onnx-to-mlir": (_onnx_to_mlir, "import an ONNX model as a module of the ax dialect"),
    "mlir-to-image": (_mlir_to_image, "encode a planned and scheduled aipu program"),
    "image-to-mlir": (_image_to_mlir, "disassemble a program image"),
    "axq-to-qdq": (_axq_to_qdq, "export a quantized graph as ONNX with QuantizeLinear and DequantizeLinear"),
}


def _target(arguments: argparse.Namespace) -> Target:
    from axir.target.description import load

    return load(arguments.target)


def _read_module(arguments: argparse.Namespace) -> tuple[AxContext, ModuleOp]:
    from axir.ir.context import make_context
    from axir.ir.module_file import load_weights, read_module
    from axir.ir.parsing import parse_module, verify

    ctx = make_context()
    if arguments.input == "-":
        module = parse_module(ctx, sys.stdin.read(), "<stdin>")
        verify(module)
    else:
        module = read_module(ctx, arguments.input)
    if arguments.weights is not None:
        load_weights(ctx, arguments.weights)
    return ctx, module


def _write_module(ctx: AxContext, module: ModuleOp, output: str) -> None:
    from axir.ir.module_file import write_module
    from axir.ir.printing import print_module

    if output == "-":
        sys.stdout.write(print_module(module, debuginfo=False))
    else:
        write_module(ctx, module, output)


def _write_bytes(data: bytes, output: str) -> None:
    from axir.ir.files import atomic_open

    if output != "-":
        with atomic_open(output) as file:
            file.write(data)
    elif sys.stdout.isatty():
        raise AxirError("the result is binary: it is not written to a terminal", notes=("give a file with -o",))
    else:
        sys.stdout.buffer.write(data)


def main(argv: list[str] | None = None) -> int:
    """The command line tool; `argv` defaults to the process's. Returns the exit code."""
    arguments = _parser().parse_args(argv)

    def body() -> int:
        translate, _ = TRANSLATIONS[arguments.translation]
        translate(arguments)
        return 0

    return run_tool(body)


if __name__ == "__main__":
    sys.exit(main())
