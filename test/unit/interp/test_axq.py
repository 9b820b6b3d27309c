"""The interpreter on cases worked out by hand from docs/numerics.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from axir.dialects import axq
from axir.interp.axq import Interpreter, run_graph
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module, verify
from axir.ir.store import WeightStore


def graph_of(text: str) -> axq.GraphOp:
    module = parse_module(make_context(), text, "test.mlir")
    verify(module)
    graph = module.body.block.first_op
    assert isinstance(graph, axq.GraphOp)
    return graph


def run(text: str, *inputs: Any) -> list[Any]:
    return run_graph(graph_of(text), [np.array(array, np.int8) for array in inputs], WeightStore())


def one_op(body: str, arguments: str, result: str) -> str:
    return f"""axq.graph @main({arguments}) -> ("y") {{
      %y = {body} -> {result}
      axq.return %y : {result}
    }}"""


def map_graph(source: str, result: str, values: int, epilogue: str = "") -> str:
    x, y = f"tensor<1x1x1x{values}x!axq.q<{source}>>", f"tensor<1x1x1x{values}x!axq.q<{result}>>"
    return one_op(f"axq.map %x {epilogue} : {x}", f'%x: {x} "x"', y)


def test_rounding_is_half_to_even() -> None:
    # v = x * 0.5, one step is 1.0: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, -1.5 -> -2, -2.5 -> -2
    (y,) = run(map_graph("0.5 : 0", "1.0 : 0", 6), [[[[1, 3, 5, -1, -3, -5]]]])
    assert y.ravel().tolist() == [0, 2, 2, 0, -2, -2]


def softmax_graph(channels: int, source: str, neutral: str) -> str:
    x, y = f"tensor<1x{channels}x1x1x!axq.q<{source}>>", f"tensor<1x{channels}x1x1x!axq.q<0.00390625 : -128>>"
    return one_op(f"axq.softmax %x axis 1 neutral {neutral} : {x}", f'%x: {x} "x"', y)


def column(*values: int) -> list[Any]:
    return [[[[value]] for value in values]]


def test_softmax_of_equal_channels_shares_alike() -> None:
    (y,) = run(softmax_graph(4, "0.5 : 3", "-100000.0"), column(7, 7, 7, 7))
    assert y.ravel().tolist() == [64 - 128] * 4


def test_softmax_neutral_lanes_take_part() -> None:
    # 4 channels and 60 lanes that are as great as they: 1/64 each. With one channel more than 64, 63 lanes: 1/128.
    (y,) = run(softmax_graph(4, "0.5 : 3", "2.0"), column(7, 7, 7, 7))
    assert y.ravel().tolist() == [4 - 128] * 4
    (y,) = run(softmax_graph(65, "0.5 : 3", "2.0"), column(*[7] * 65))
    assert y.ravel().tolist() == [2 - 128] * 65
    # Nothing is left for channels far below the neutral value.
    (y,) = run(softmax_graph(4, "0.5 : 3", "60.0"), column(7, 7, 7, 7))
    assert y.ravel().tolist() == [-128] * 4


def test_softmax_takes_the_table_of_the_exponential() -> None:
    # x = 0 and -1: e = 1 and the table's value at the edge -1, which is exp(-1) = 0.3679; 256 / 1.3679 = 187.15.
    (y,) = run(softmax_graph(2, "0.5 : 0", "-100000.0"), column(0, -2))
    assert y.ravel().tolist() == [187 - 128, 69 - 128]
    # One channel alone, and one that is 16 and more above the others, is 1: 256 steps, of which 255 can be stored.
    (y,) = run(softmax_graph(3, "0.5 : 0", "-100000.0"), column(-28, 5, -27))
    assert y.ravel().tolist() == [-128, 127, -128]


def test_rounding_comes_before_the_zero_point() -> None:
    # 0.5 -> 0, then + 1. Rounding 0.5 + 1 = 1.5 would give 2.
    (y,) = run(map_graph("0.5 : 0", "1.0 : 1", 1), [[[[1]]]])
    assert y.ravel().tolist() == [1]


def test_stores_saturate_at_both_ends_of_the_byte() -> None:
    # v = (x + 28) * 2: 310, -200, 56; with zero point 100 the byte ends at 27 and -228 steps.
    (y,) = run(map_graph("2.0 : -28", "1.0 : 100", 3), [[[[127, -128, 0]]]])
    assert y.ravel().tolist() == [127, -100, 127]
    (y,) = run(map_graph("2.0 : -28", "1.0 : -100", 3), [[[[127, -128, 0]]]])
    assert y.ravel().tolist() == [127, -128, -44]


def test_requantization_multiplies_by_the_rounded_reciprocal() -> None:
    # f32(0.1) = 0.100000001490116..., its reciprocal rounds to f32 10.0 exactly: 2.5 * 10 = 25.
    (y,) = run(map_graph("2.5 : 0", "0.1 : 0", 1), [[[[1]]]])
    assert y.ravel().tolist() == [25]


CONV = """axq.graph @main(%x: tensor<1x2x1x2x!axq.q<0.5 : 10>> "x") -> ("y") {{
  %y = axq.conv %x weight dense<[[[[1, 2]], [[3, -4]]]]> : tensor<1x2x1x2xi8> scale dense<0.25> : tensor<1xf32>
    bias dense<5> : tensor<1xi32> strides [1, 1] pads {pads} dilations [1, 1] group 1
    : tensor<1x2x1x2x!axq.q<0.5 : 10>> -> tensor<1x1x1x{width}x!axq.q<0.125 : -7>>
  axq.return %y : tensor<1x1x1x{width}x!axq.q<0.125 : -7>>
}}"""


def test_convolution() -> None:
    # x - zx = [[2, 4], [-3, 1]]; acc = 2*1 + 4*2 + -3*3 + 1*-4 + 5 = 2; v = 2 * 0.125; q = round(0.25 / 0.125) - 7
    (y,) = run(CONV.format(pads=[0, 0, 0, 0], width=1), [[[[12, 14]], [[7, 11]]]])
    assert y.ravel().tolist() == [-5]


def test_padding_is_real_zero_and_not_stored_zero() -> None:
    # Left of the input only the taps 2 and -4 meet it: 2*2 + -3*-4 + 5 = 21; right of it 1 and 3: 4*1 + 1*3 + 5 = 12.
    (y,) = run(CONV.format(pads=[0, 1, 0, 1], width=3), [[[[12, 14]], [[7, 11]]]])
    assert y.ravel().tolist() == [21 - 7, 2 - 7, 12 - 7]


def test_depthwise_convolution_with_scales_by_channel() -> None:
    # Channel 0: (3 - 1) * 2 = 4, times 0.5 * 0.25 = 0.5. Channel 1: (3 + 1) * 2 = 8, times 2.0 * 0.25 = 4.
    x = "tensor<1x2x1x1x!axq.q<channels dense<[0.5, 2.0]> : tensor<2xf32> : dense<[1, -1]> : tensor<2xi32>>>"
    y = "tensor<1x2x1x1x!axq.q<0.25 : 0>>"
    text = one_op(
        f"""axq.conv %x weight dense<2> : tensor<2x1x1x1xi8> scale dense<0.25> : tensor<2xf32>
        bias dense<0> : tensor<2xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 : {x}""",
        f'%x: {x} "x"',
        y,
    )
    (result,) = run(text, [[[[3]], [[3]]]])
    assert result.ravel().tolist() == [2, 16]


def test_result_with_scales_by_channel() -> None:
    y = "tensor<1x2x1x1x!axq.q<channels dense<[0.5, 2.0]> : tensor<2xf32> : dense<[1, -1]> : tensor<2xi32>>>"
    text = one_op("axq.map %x : tensor<1x2x1x1x!axq.q<1.0 : 0>>", '%x: tensor<1x2x1x1x!axq.q<1.0 : 0>> "x"', y)
    (result,) = run(text, [[[[6]], [[6]]]])
    assert result.ravel().tolist() == [13, 2]


def test_transposed_convolution() -> None:
    # x - zx = [1, 2], kernel [1, 10, 100], stride 2: [1, 10, 100 + 2, 20, 200]; pads cut one off each side.
    x = "tensor<1x1x1x2x!axq.q<1.0 : -3>>"
    text = one_op(
        f"""axq.conv_transpose %x weight dense<[[[[1, 10, 100]]]]> : tensor<1x1x1x3xi8> scale dense<1.0> : tensor<1xf32>
        bias dense<0> : tensor<1xi32> strides [1, 2] pads [0, 1, 0, 1] output_padding [0, 0] dilations [1, 1] group 1
        : {x}""",
        f'%x: {x} "x"',
        "tensor<1x1x1x3x!axq.q<1.0 : 0>>",
    )
    (y,) = run(text, [[[[-2, -1]]]])
    assert y.ravel().tolist() == [10, 102, 20]


def test_accumulator_is_rounded_to_binary32_once() -> None:
    # 2**24 + 1 is no binary32 number: it becomes 2**24, and adding -128 * 131072 = -2**24 leaves 0, not 1.
    e = "tensor<1x1x1x1x!axq.q<131072.0 : 0>>"
    x = "tensor<1x1x1x1x!axq.q<1.0 : 0>>"
    text = one_op(
        f"""axq.conv %x weight dense<0> : tensor<1x1x1x1xi8> scale dense<1.0> : tensor<1xf32>
        bias dense<16777217> : tensor<1xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
        epilogue <add> extras %e : {e} : {x}""",
        f'%x: {x} "x", %e: {e} "e"',
        x,
    )
    (y,) = run(text, [[[[0]]]], [[[[-128]]]])
    assert y.ravel().tolist() == [0]


def pool(kind: str, pads: list[int], width: int, count: str) -> str:
    x, y = (
        "tensor<1x1x1x3x!axq.q<1.0 : 5>>",
        f"tensor<1x1x1x{width}x!axq.q<{'1.0 : 5' if kind == 'max' else '0.5 : 0'}>>",
    )
    tail = f"count_include_pad {count}" if kind == "avg" else "dilations [1, 1]"
    body = f"axq.{kind}_pool %x kernel [1, 2] strides [1, 1] pads {pads} {tail} : {x}"
    return one_op(body, f'%x: {x} "x"', y)


def test_average_over_all_taps_or_those_inside() -> None:
    # x - zx = [4, 8, -2]
    (y,) = run(pool("avg", [0, 0, 0, 0], 2, "false"), [[[[9, 13, 3]]]])
    assert y.ravel().tolist() == [12, 6]
    (y,) = run(pool("avg", [0, 1, 0, 1], 4, "true"), [[[[9, 13, 3]]]])
    assert y.ravel().tolist() == [4, 12, 6, -2]
    (y,) = run(pool("avg", [0, 1, 0, 1], 4, "false"), [[[[9, 13, 3]]]])
    assert y.ravel().tolist() == [8, 12, 6, -4]


def test_greatest_byte_ignores_padding() -> None:
    (y,) = run(pool("max", [0, 1, 0, 1], 4, ""), [[[[-9, -13, -3]]]])
    assert y.ravel().tolist() == [-9, -9, -3, -3]


@pytest.mark.parametrize(
    ("epilogue", "expected"),
    [
        ("<scale(-0.5)>", [8, 2, -2, -6]),
        ("<relu>", [0, 0, 4, 12]),
        ("<clip(-1.0, 2.0)>", [-2, -2, 4, 4]),
        ("<leaky_relu(0.25)>", [-4, -1, 4, 12]),
        ("<prelu> slope dense<0.5> : tensor<1xf32>", [-8, -2, 4, 12]),
        ("<hard_sigmoid(0.25, 0.5)>", [0, 0, 2, 2]),  # -1.5, 0.0, 1.0, 2.0 clamped to [0, 1]
        ("<relu, leaky_relu(0.25)>", [0, 0, 4, 12]),
        ("<leaky_relu(0.25), relu>", [0, 0, 4, 12]),
        ("<sigmoid>", [0, 0, 2, 2]),  # 0.0003, 0.119, 0.88, 0.998 in steps of 0.5
        ("<tanh>", [-2, -2, 2, 2]),
        ("<silu>", [0, 0, 4, 12]),  # -0.003, -0.24 -> -0, 1.76 -> 3.52, 5.99
        ("<hard_swish>", [0, -1, 3, 12]),  # 0, -2 / 6, 2 * 5 / 6, 6
    ],
)
def test_steps(epilogue: str, expected: list[int]) -> None:
    # v = -8, -2, 2, 6; the result in steps of 0.5
    (y,) = run(map_graph("1.0 : 0", "0.5 : 0", 4, f"epilogue {epilogue}"), [[[[-8, -2, 2, 6]]]])
    assert y.ravel().tolist() == expected


def test_steps_take_their_operands_in_order() -> None:
    # (3 + (5 - 1) * 0.5) * (4 * 0.5) = 10; the other way round 3 * 2 + 2 = 8
    one = "tensor<1x1x1x1x!axq.q<1.0 : 0>>"
    e, f = "tensor<1x1x1x1x!axq.q<0.5 : 1>>", "tensor<1x1x1x1x!axq.q<0.5 : 0>>"
    text = one_op(
        f"axq.map %x epilogue <add, mul> extras %e, %f : {e}, {f} : {one}",
        f'%x: {one} "x", %e: {e} "e", %f: {f} "f"',
        one,
    )
    (y,) = run(text, [[[[3]]]], [[[[5]]]], [[[[4]]]])
    assert y.ravel().tolist() == [10]


def test_every_operation_of_a_step_rounds_by_itself() -> None:
    """f32(0.1) * 10 = 1.0000000149 rounds to 1, minus 1 is 0. Fused or in binary64 it is 1.49e-8: 15 steps of 1e-9."""
    (y,) = run(map_graph("1.0 : 0", "1.0e-09 : 0", 1, "epilogue <hard_sigmoid(0.1, -1.0)>"), [[[[10]]]])
    assert y.ravel().tolist() == [0]
    x, result = "tensor<1x1x1x1x!axq.q<1.0 : 0>>", "tensor<1x1x1x1x!axq.q<1.0e-09 : 0>>"
    tenth = "tensor<1x1x1x1x!axq.q<0.1 : 0>>"
    text = one_op(
        f"axq.map %x epilogue <mul, add> extras %e, %f : {tenth}, {x} : {x}",
        f'%x: {x} "x", %e: {tenth} "e", %f: {x} "f"',
        result,
    )
    (y,) = run(text, [[[[10]]]], [[[[1]]]], [[[[-1]]]])
    assert y.ravel().tolist() == [0]


def test_operands_broadcast() -> None:
    x, e = "tensor<1x2x1x2x!axq.q<1.0 : 0>>", "tensor<1x2x1x1x!axq.q<1.0 : 0>>"
    text = one_op(f"axq.map %x epilogue <mul> extras %e : {e} : {x}", f'%x: {x} "x", %e: {e} "e"', x)
    (y,) = run(text, [[[[1, 2]], [[3, 4]]]], [[[[2]], [[-1]]]])
    assert y.tolist() == [[[[2, 4]], [[-3, -4]]]]


def test_concat_and_slice_move_bytes() -> None:
    (y,) = run(
        """axq.graph @main(%x: tensor<1x2x1x2x!axq.q<0.1 : 3>> "x", %y: tensor<1x1x1x2x!axq.q<0.1 : 3>> "y") -> ("z") {
          %c = axq.concat %x, %y axis 1 : (tensor<1x2x1x2x!axq.q<0.1 : 3>>, tensor<1x1x1x2x!axq.q<0.1 : 3>>)
            -> tensor<1x3x1x2x!axq.q<0.1 : 3>>
          %z = axq.slice %c starts [0, 0, 0, 1] ends [1, 3, 1, 2] steps [1, 2, 1, 1]
            : tensor<1x3x1x2x!axq.q<0.1 : 3>> -> tensor<1x2x1x1x!axq.q<0.1 : 3>>
          axq.return %z : tensor<1x2x1x1x!axq.q<0.1 : 3>>
        }""",
        [[[[1, 2]], [[3, 4]]]],
        [[[[5, 6]]]],
    )
    assert y.tolist() == [[[[2]], [[6]]]]


def test_observer_sees_every_result_under_its_nodes_name() -> None:
    graph = graph_of(
        """axq.graph @main(%x: tensor<1x1x1x1x!axq.q<1.0 : 0>> "x") -> ("a", "b", "x2") {
          %a = axq.map %x epilogue <relu>
            : tensor<1x1x1x1x!axq.q<1.0 : 0>> -> tensor<1x1x1x1x!axq.q<0.5 : 0>> loc("Relu_1")
          %b = axq.map %a : tensor<1x1x1x1x!axq.q<0.5 : 0>> -> tensor<1x1x1x1x!axq.q<0.25 : 0>>
          axq.return %a, %b, %x : tensor<1x1x1x1x!axq.q<0.5 : 0>>, tensor<1x1x1x1x!axq.q<0.25 : 0>>,
            tensor<1x1x1x1x!axq.q<1.0 : 0>>
        }"""
    )
    seen: dict[str, Any] = {}
    outputs = Interpreter(graph, WeightStore()).run(
        [np.full((1, 1, 1, 1), 3, np.int8)], lambda name, array: seen.update({name: int(array[0, 0, 0, 0])})
    )
    assert seen == {"Relu_1": 6, "op1": 12}
    assert [int(array[0, 0, 0, 0]) for array in outputs] == [6, 12, 3]


def test_frames_are_independent() -> None:
    interpreter = Interpreter(graph_of(CONV.format(pads=[0, 1, 0, 1], width=3)), WeightStore())
    first, other = np.array([[[[12, 14]], [[7, 11]]]], np.int8), np.array([[[[1, 2]], [[3, 4]]]], np.int8)
    (expected,) = interpreter.run([first])
    interpreter.run([other])
    (again,) = interpreter.run([first])
    np.testing.assert_array_equal(again, expected)
    assert first.tolist() == [[[[12, 14]], [[7, 11]]]]


@pytest.mark.parametrize("array", [np.zeros((1, 1, 1, 2), np.int8), np.zeros((1, 1, 1, 1), np.uint8)])
def test_wrong_inputs_are_refused(array: Any) -> None:
    graph = graph_of(map_graph("1.0 : 0", "1.0 : 0", 1))
    with pytest.raises(AxirError, match=r"input 'x' must be int8 \[1, 1, 1, 1\]"):
        run_graph(graph, [array], WeightStore())
    with pytest.raises(AxirError, match="takes 1 inputs, 0 given"):
        run_graph(graph, [], WeightStore())


def test_an_accumulator_that_could_overflow_is_refused_with_its_name() -> None:
    text = """axq.graph @main(%x: tensor<1x1x1x1x!axq.q<1.0 : 0>> "x") -> () {
      %y = axq.conv %x weight dense<2> : tensor<1x1x1x1xi8> scale dense<1.0> : tensor<1xf32>
        bias dense<BIAS> : tensor<1xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
        : tensor<1x1x1x1x!axq.q<1.0 : 0>> -> tensor<1x1x1x1x!axq.q<1.0 : 0>> loc("Conv_3")
      axq.return
    }"""
    Interpreter(graph_of(text.replace("BIAS", "2147483137")), WeightStore())  # + 2 * 255 = 2**31 - 1
    for bias in ("2147483138", "-2147483138"):
        with pytest.raises(AxirError, match="exceed 32 bits") as error:
            Interpreter(graph_of(text.replace("BIAS", bias)), WeightStore())
        assert error.value.node == "Conv_3"


def test_missing_weights_are_reported_with_the_node() -> None:
    text = """axq.graph @main(%x: tensor<1x1x1x1x!axq.q<1.0 : 0>> "x") -> () {
      %y = axq.conv %x weight #ax.weight<"00000000000000000000000000000001", tensor<1x1x1x1xi8>>
        scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
        strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
        : tensor<1x1x1x1x!axq.q<1.0 : 0>> -> tensor<1x1x1x1x!axq.q<1.0 : 0>> loc("Conv_3")
      axq.return
    }"""
    with pytest.raises(AxirError, match="not in the weight store") as error:
        Interpreter(graph_of(text), WeightStore())
    assert error.value.node == "Conv_3"
