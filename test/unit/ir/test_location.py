from __future__ import annotations

from xdsl.dialects import test
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, ModuleOp, StringAttr, UnknownLoc, i32
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern

from axir.ir.location import LOC_LISTENER, fuse, name_loc, node_name, render_location, rewrite

CONV = name_loc("Conv_1", "net.onnx", 1)
RELU = name_loc("Relu_2", "net.onnx", 2)


def at(op: Operation, location: LocationAttr) -> Operation:
    op.location = location
    return op


def test_name_and_position() -> None:
    assert str(CONV) == 'loc("Conv_1"("net.onnx":1:0))'
    assert (node_name(CONV), render_location(CONV)) == ("Conv_1", "net.onnx:1:0")
    assert (node_name(name_loc("x")), render_location(name_loc("x"))) == ("x", None)
    position = FileLineColLoc(StringAttr("a.mlir"), IntAttr(3), IntAttr(7))
    assert (node_name(position), render_location(position)) == (None, "a.mlir:3:7")
    assert (node_name(UnknownLoc()), render_location(UnknownLoc())) == (None, None)


def test_fuse_is_flat_without_duplicates() -> None:
    both = fuse([CONV, RELU])
    assert str(both) == 'loc(fused["Conv_1"("net.onnx":1:0), "Relu_2"("net.onnx":2:0)])'
    assert fuse([both, UnknownLoc(), CONV]) == both
    assert fuse([CONV, CONV]) == CONV
    assert fuse([]) == UnknownLoc()
    assert (node_name(both), render_location(both)) == ("Conv_1", "net.onnx:1:0")


class Expand(RewritePattern):
    """test.op(x) -> test.pureop, test.op "done" using it"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, test.TestOp) or "done" in op.attributes:
            return
        helper = test.TestPureOp(operands=op.operands, result_types=[i32])
        new = test.TestOp(operands=helper.results, result_types=op.result_types, attributes={"done": StringAttr("")})
        rewriter.replace(op, [helper, new])


def test_rewrite_gives_all_new_operations_the_location_of_the_matched_one() -> None:
    source = test.TestOp(result_types=[i32], attributes={"done": StringAttr("")})
    module = ModuleOp([at(source, CONV), at(test.TestOp(operands=source.results, result_types=[i32]), RELU)])
    assert rewrite(module, Expand())
    assert [op.location for op in module.ops] == [CONV, RELU, RELU]
    assert not rewrite(module, Expand())


class Merge(RewritePattern):
    """Replaces the user of the matched operation; sets a location of its own."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if "first" not in op.attributes:
            return
        user = next(iter(op.results[0].uses)).operation
        new = test.TestOp(result_types=user.result_types)
        if "fuse" in op.attributes:
            new.location = fuse([op.location, user.location])
        rewriter.replace(user, new)
        rewriter.erase(op)


def merged(**attributes: StringAttr) -> LocationAttr:
    first = test.TestOp(result_types=[i32], attributes={"first": StringAttr(""), **attributes})
    module = ModuleOp([at(first, CONV), at(test.TestOp(operands=first.results, result_types=[i32]), RELU)])
    assert rewrite(module, Merge())
    [op] = module.ops
    return op.location


def test_replacement_takes_the_location_of_what_it_replaces_unless_it_has_one() -> None:
    assert merged() == RELU
    assert merged(fuse=StringAttr("")) == fuse([CONV, RELU])


def test_listener_alone_covers_replacements() -> None:
    module = ModuleOp([at(test.TestOp(operands=[], result_types=[i32], attributes={"first": StringAttr("")}), CONV)])

    class Swap(RewritePattern):
        def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
            if "first" in op.attributes:
                rewriter.replace(op, test.TestOp(result_types=[i32]))

    PatternRewriteWalker(Swap(), listener=LOC_LISTENER).rewrite_module(module)
    assert [op.location for op in module.ops] == [CONV]
