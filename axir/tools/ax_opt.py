"""`ax-opt`: parses, verifies, transforms and prints modules of any level; the tool of the compiler developer."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from axir import __version__
from axir.ir.diagnostics import AxirError, AxirErrorGroup, run_tool, to_axir_error

# Only light modules above: `ax-opt --help` must not wait for xDSL.
if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from axir.ir.context import AxContext
    from axir.ir.pass_manager import PassTiming

_SPLIT = re.compile(r"^// -----[^\n]*$", re.MULTILINE)

_EPILOG = """\
examples:
  ax-opt model.onnx                                     import a network and print it
  ax-opt model.onnx -p canonicalize,cse -o out.mlir     transform it; weights go to out.safetensors
  ax-opt test.mlir --split-input-file --verify-diagnostics
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ax-opt",
        description="Parse, verify, transform and print AXIR modules.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", nargs="?", default="-", help="an .mlir or .onnx file; '-' (default) is MLIR on stdin")
    parser.add_argument(
        "-p",
        "--passes",
        action="append",
        default=[],
        metavar="PIPELINE",
        help="passes to run, such as 'canonicalize,cse' or 'a-pass{option=value flag list=1,2}'; may be repeated",
    )
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="write here instead of to stdout")
    parser.add_argument("--version", action="version", version=f"ax-opt {__version__}")

    passes = parser.add_argument_group("passes")
    passes.add_argument("--list-passes", action="store_true", help="list passes with their options, and stop")
    passes.add_argument("--print-ir-after-all", action="store_true", help="print the module after each pass, on stderr")
    passes.add_argument("--timing", action="store_true", help="print the time each pass took, on stderr")
    passes.add_argument(
        "--verify-each",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="verify the module after each pass (default: yes)",
    )
    passes.add_argument("--no-verify", action="store_true", help="never verify, not even the input")
    passes.add_argument(
        "--reproducer", metavar="FILE", help="when a pass fails, write its input and the pipeline from there on"
    )

    given = parser.add_argument_group("input")
    given.add_argument(
        "--weights",
        metavar="FILE",
        help="weights that the module refers to (default: INPUT.safetensors or weights.safetensors beside the input)",
    )
    given.add_argument(
        "--input-shape",
        action="append",
        default=[],
        metavar="NAME=1,3,224,224",
        help="shape of an input of an .onnx model that leaves it open; may be repeated",
    )
    given.add_argument("--target", metavar="FILE.toml", help="device description for passes that need one")
    given.add_argument("--split-input-file", action="store_true", help="treat the parts between '// -----' separately")
    given.add_argument(
        "--allow-unregistered-dialect", action="store_true", help="accept operations of unknown dialects"
    )
    given.add_argument(
        "--verify-diagnostics",
        action="store_true",
        help="succeed if exactly the errors of the '// expected-error {{text}}' comments occur",
    )

    printed = parser.add_argument_group("output")
    printed.add_argument("--print-debuginfo", action="store_true", help="print locations (always done with -o)")
    printed.add_argument("--print-generic", action="store_true", help="print operations in MLIR's generic form")
    return parser


class _Driver:
    """One run of the tool: every part of the input goes through the same steps."""

    def __init__(self, arguments: argparse.Namespace):
        from axir.registry import passes
        from axir.tools.pipeline import build_pipeline

        self.arguments = arguments
        available = passes()
        self.passes = tuple(p for text in arguments.passes for p in build_pipeline(text, available))
        self.name = "<stdin>" if arguments.input == "-" else str(arguments.input)
        self.context = self._make_context()
        self.timings: list[PassTiming] = []

    def run(self) -> int:
        if self.name.endswith(".onnx"):
            self._emit([self._transform(self._import())])
        else:
            self._run_text()
        if self.arguments.timing:
            _print_timings(self.timings)
        return 0

    def _run_text(self) -> None:
        from axir.tools.expected import compare, find_expectations

        text = self._read()
        modules: list[ModuleOp] = []
        problems: list[AxirError] = []
        for part in self._parts(text):
            errors: tuple[AxirError, ...] = ()
            try:
                modules.append(self._transform(self._parse(part)))
            except Exception as error:
                user_error = to_axir_error(error)
                if user_error is None:
                    raise
                errors = user_error.errors
                if not self.arguments.verify_diagnostics:
                    problems.append(user_error)  # whole: a group has notes of its own
            if self.arguments.verify_diagnostics:
                problems += compare(find_expectations(part, self.name), errors, self.name)
        if problems:
            raise AxirErrorGroup(problems) if len(problems) > 1 else problems[0]
        self._emit(modules)

    def _make_context(self) -> AxContext:
        from axir.ir.context import make_context
        from axir.ir.module_file import load_weights, weights_path

        ctx = make_context()
        ctx.allow_unregistered = self.arguments.allow_unregistered_dialect
        weights = self.arguments.weights
        if weights is None and self.name.endswith(".mlir"):
            weights = weights_path(self.name)
        if weights is not None:
            load_weights(ctx, weights)
        if self.arguments.target is not None:
            from axir.target.description import load

            ctx.target = load(self.arguments.target)
        return ctx

    def _read(self) -> str:
        from axir.ir.module_file import read_text

        return sys.stdin.read() if self.arguments.input == "-" else read_text(self.name)

    def _parts(self, text: str) -> list[str]:
        """The parts of the input, each preceded by as many empty lines as keep its line numbers right."""
        if not self.arguments.split_input_file:
            return [text]
        starts = [0, *(match.end() for match in _SPLIT.finditer(text))]
        ends = [*(match.start() for match in _SPLIT.finditer(text)), len(text)]
        return ["\n" * text.count("\n", 0, s) + text[s:e] for s, e in zip(starts, ends, strict=True)]

    def _parse(self, text: str) -> ModuleOp:
        from axir.ir.parsing import parse_module

        return parse_module(self.context, text, self.name)

    def _import(self) -> ModuleOp:
        if self.arguments.split_input_file or self.arguments.verify_diagnostics:
            raise AxirError("--split-input-file and --verify-diagnostics are for .mlir input")
        shapes = _input_shapes(self.arguments.input_shape)
        from axir.frontends.onnx import import_model

        return import_model(self.name, self.context, input_shapes=shapes)

    def _transform(self, module: ModuleOp) -> ModuleOp:
        from axir.ir.parsing import verify
        from axir.ir.pass_manager import run_passes
        from axir.ir.printing import print_module

        arguments = self.arguments
        if not arguments.no_verify:
            verify(module)
        last: list[tuple[str, int]] = []

        def before(pass_: ModulePass, index: int) -> None:
            if arguments.reproducer:
                last[:] = [(print_module(module), index)]

        def after(pass_: ModulePass, index: int) -> None:
            if arguments.print_ir_after_all:
                text = print_module(module, arguments.print_debuginfo, arguments.print_generic)
                print(f"// -----// IR after {pass_.name} //----- //\n{text}", file=sys.stderr)

        verify_each = arguments.verify_each and not arguments.no_verify
        try:
            timings = run_passes(self.context, module, self.passes, verify_each=verify_each, before=before, after=after)
        except Exception:
            for text, index in last:
                self._write_reproducer(text, index)
            raise
        self.timings += timings
        return module

    def _write_reproducer(self, text: str, index: int) -> None:
        from axir.ir.files import write_text
        from axir.tools.pipeline import render_pass

        path = self.arguments.reproducer
        pipeline = ",".join(render_pass(pass_) for pass_ in self.passes[index:])
        write_text(path, f"// ax-opt {path} -p '{pipeline}'\n{text}")
        print(f"note: wrote the input of pass '{self.passes[index].name}' to {path}", file=sys.stderr)

    def _emit(self, modules: list[ModuleOp]) -> None:
        from axir.ir.module_file import write_module
        from axir.ir.printing import print_module

        arguments = self.arguments
        if arguments.output != "-" and len(modules) == 1:
            write_module(self.context, modules[0], arguments.output, generic=arguments.print_generic)
            return
        texts = [print_module(module, arguments.print_debuginfo, arguments.print_generic) for module in modules]
        output = "// -----\n".join(texts)
        if arguments.output == "-":
            sys.stdout.write(output)
        else:
            from axir.ir.files import write_text

            write_text(arguments.output, output)


def _input_shapes(options: list[str]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for option in options:
        name, _, text = option.rpartition("=")
        try:
            shape = tuple(int(part) for part in re.split("[,x]", text))
        except ValueError:
            shape = ()
        if not name or not shape or min(shape) < 1:
            raise AxirError(f"--input-shape {option}: not a shape", notes=("write --input-shape NAME=1,3,224,224",))
        shapes[name] = shape
    return shapes


def _print_timings(timings: list[PassTiming]) -> None:
    total = sum(timing.seconds + timing.verify_seconds for timing in timings)
    rows = [(timing.name, timing.seconds, timing.verify_seconds) for timing in timings]
    rows.append(("total", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    width = max(len(row[0]) for row in rows)
    print(f"{'pass':{width}}  {'ms':>9}  {'verify ms':>9}  {'%':>5}", file=sys.stderr)
    for name, seconds, verify_seconds in rows:
        share = 100 * (seconds + verify_seconds) / total if total else 0.0
        print(f"{name:{width}}  {seconds * 1e3:9.2f}  {verify_seconds * 1e3:9.2f}  {share:5.1f}", file=sys.stderr)


def _list_passes() -> None:
    from axir.registry import passes
    from axir.tools.pass_options import describe, options_of

    for name, entry in sorted(passes().items()):
        print(f"{name}\n    {entry.help}")
        for option in options_of(entry.load()):
            default = "required" if option.default is None else f"default {option.default}"
            print(f"    {option.name}=<{describe(option.type)}>  ({default})  {option.help}".rstrip())


def main(argv: list[str] | None = None) -> int:
    """The command line tool; `argv` defaults to the process's. Returns the exit code."""
    arguments = _parser().parse_args(argv)

    def body() -> int:
        if arguments.list_passes:
            _list_passes()
            return 0
        return _Driver(arguments).run()

    return run_tool(body)


if __name__ == "__main__":
    sys.exit(main())
