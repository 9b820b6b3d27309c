from __future__ import annotations

import sys

import pytest
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.cf import Cf
from xdsl.utils.arg_spec import parse_pipeline
from xdsl.utils.exceptions import PassFailedException, VerifyException

from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError, AxirErrorGroup, run_tool
from axir.ir.location import name_loc
from axir.ir.parsing import AxParser, parse_module, verify


def raising(error: BaseException):
    def main() -> int:
        raise error

    return main


def test_render() -> None:
    error = AxirError("no room", location="a.mlir:1:2", node="Conv_1", notes=["lower r", "or use ddr"])
    assert error.render() == "a.mlir:1:2: error: [Conv_1] no room\nnote: lower r\nnote: or use ddr"
    assert AxirError("no room").render() == "error: no room"


def test_operation_gives_location_and_node() -> None:
    op = test.TestOp()
    op.location = name_loc("Conv_1", "net.onnx", 3)
    assert AxirError("bad", op=op).render() == "net.onnx:3:0: error: [Conv_1] bad"
    assert AxirError("bad", op=op, node="Other").node == "Other"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (AxirError("no"), 1, "error: no\n"),
        (AxirErrorGroup([AxirError("a"), AxirError("b")], omitted=3), 1, "error: a\nerror: b\nnote: 3 more"),
        (VerifyException("broken"), 1, "error: broken\n"),
        (PassFailedException("cannot"), 1, "error: cannot\n"),
        (FileNotFoundError(2, "No such file", "x.onnx"), 1, "error: x.onnx: No such file\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (KeyError("k"), 2, "error: internal error: KeyError: 'k'\nnote: "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_run_tool(error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tool(raising(error)) == code
    captured = capsys.readouterr().err
    assert captured.startswith(text)
    assert "Traceback" not in captured


def test_run_tool_reports_errors_of_xdsl(capsys: pytest.CaptureFixture[str]) -> None:
    def parse() -> int:
        AxParser(make_context(), '"test.op"() : (', "f.mlir").parse_module()
        return 0

    assert run_tool(parse) == 1
    assert capsys.readouterr().err.startswith("f.mlir:1:16: error: ")
    assert run_tool(lambda: len(list(parse_pipeline("a{")))) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_traceback_on_demand(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIR_TRACEBACK", "1")
    assert run_tool(raising(AxirError("no"))) == 1
    assert "Traceback" in capsys.readouterr().err


def test_exit_codes_pass_through() -> None:
    assert run_tool(lambda: 5) == 5
    with pytest.raises(SystemExit):
        run_tool(lambda: sys.exit(2))


def test_dump_of_the_module_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    error = VerifyException("broken")
    error.add_note("builtin.module { a million lines }")
    run_tool(raising(error))
    assert "million" not in capsys.readouterr().err


def test_all_broken_operations_are_reported_with_a_limit() -> None:
    text = "".join(f'func.func @f{i}() {{\n  "test.op"() : () -> ()\n}}\n' for i in range(25))
    with pytest.raises(AxirErrorGroup) as raised:
        verify(parse_module(make_context(), text, "m.mlir"))
    assert len(raised.value.errors) == 20
    assert raised.value.omitted == 5
    assert raised.value.errors[1].location == "m.mlir:5:3"
    assert "func.func" not in raised.value.render()


FINE_ORDER_OF_BLOCKS = """
  cf.br ^b
^a:
  cf.br ^c
^b:
  %x = arith.addi %p, %p : i32
  cf.br ^a
^c:
  "test.op"(%x) : (i32) -> ()
  func.return"""

ONE_WAY_AROUND = """
  cf.cond_br %c, ^a, ^b
^a:
  %x = arith.addi %p, %p : i32
  cf.br ^b
^b:
  "test.op"(%x) : (i32) -> ()
  func.return"""

IN_A_LATER_REGION = """
  "test.op"() ({
    "test.op"(%x) : (i32) -> ()
    "test.termop"() : () -> ()
  }) : () -> ()
  %x = arith.addi %p, %p : i32
  func.return"""


def function(body: str) -> ModuleOp:
    ctx = make_context()
    ctx.load_dialect(Cf)
    return parse_module(ctx, f"func.func @f(%p: i32, %c: i1) {{{body}\n}}", "m.mlir")


def test_definitions_that_dominate_their_uses() -> None:
    verify(function(FINE_ORDER_OF_BLOCKS))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ONE_WAY_AROUND, "m.mlir:7:3: error: 'test.op' op operand #0 is defined in a block that does not dominate"),
        (IN_A_LATER_REGION, "m.mlir:3:5: error: 'test.op' op operand #0 is used before it is defined"),
    ],
)
def test_definitions_that_do_not_dominate_their_uses(body: str, message: str) -> None:
    with pytest.raises(AxirError) as raised:
        verify(function(body))
    assert raised.value.render().startswith(message)


def test_value_moved_out_of_its_region_is_reported() -> None:
    module = parse_module(
        make_context(),
        """"test.op"() ({
              %x = "test.op"() : () -> i32
              "test.op"(%x) : (i32) -> ()
              "test.termop"() : () -> ()
        }) : () -> ()""",
        "m.mlir",
    )
    outer = module.body.block.first_op
    assert outer is not None
    user = list(outer.regions[0].block.ops)[1]
    user.detach()
    module.body.block.add_op(user)
    with pytest.raises(AxirError, match="defined outside the regions that enclose this use"):
        verify(module)


def test_explicit_unknown_location_is_kept() -> None:
    from axir.ir.printing import print_module

    ctx = make_context()
    text = print_module(parse_module(ctx, '"test.op"() : () -> () loc(unknown)\n"test.op"() : () -> ()', "a"))
    assert text == print_module(parse_module(ctx, text, "b"))
    assert 'loc(unknown)\n  "test.op"() : () -> () loc("a":2:1)' in text
