"""The reference interpreter, against formulas written out element by element."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axir.dialects import ax, base
from axir.interp import windows
from axir.interp.ax import FUNCTIONS, run_graph
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module, verify

RNG = np.random.default_rng(0)


def run(text: str, *inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs of the only graph in `text`."""
    ctx = make_context()
    module = parse_module(ctx, text, "test")
    verify(module)
    (graph,) = module.ops
    assert isinstance(graph, ax.GraphOp)
    return run_graph(graph, inputs, ctx.store)


def values(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32) * np.float32(3)


UNARY: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "hard_swish": lambda x: x * max(0.0, min(1.0, x / 6 + 0.5)),
    "hard_sigmoid alpha 0.3 beta 0.4": lambda x: max(0.0, min(1.0, 0.3 * x + 0.4)),
    "leaky_relu alpha 0.1": lambda x: x if x >= 0 else 0.1 * x,
    "clip min -1.0 max 2.5": lambda x: max(-1.0, min(2.5, x)),
}


@pytest.mark.parametrize("operator", UNARY)
def test_unary(operator: str) -> None:
    kind, _, rest = operator.partition(" ")
    x = np.concatenate([values(90), np.float32([0, -0.0, 6, -6, 80, -80, 3, -3, 0.5, 1])])
    (y,) = run(
        f'ax.graph @main(%x: tensor<100xf32> "x") -> ("y") {{\n'
        f"%y = ax.{kind} %x {rest} : tensor<100xf32> -> tensor<100xf32>\nax.return %y : tensor<100xf32>\n}}",
        x,
    )
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [UNARY[operator](float(v)) for v in x], rtol=1e-6, atol=1e-7)


def test_epilogue_applies_its_steps_in_order() -> None:
    """((2x + 1, clipped to [-1, 2]) + a) * b, then silu."""
    x, a, b = values(1, 3, 4, 4), values(1, 3, 4, 4), values(1, 3, 1, 1)
    types = "tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>"
    (y,) = run(
        f"""
        ax.graph @main(
          %x: tensor<1x3x4x4xf32> "x", %a: tensor<1x3x4x4xf32> "a", %b: tensor<1x3x1x1xf32> "b"
        ) -> ("y") {{
          %w = ax.constant dense<2.0> : tensor<3x1x1x1xf32> : tensor<3x1x1x1xf32>
          %o = ax.constant dense<1.0> : tensor<3xf32> : tensor<3xf32>
          %y = ax.conv %x, %w bias %o : tensor<3xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 3
            epilogue <clip(-1.0, 2.0), add, mul, silu> extras %a, %b : {types}
            : (tensor<1x3x4x4xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x4x4xf32>
          ax.return %y : tensor<1x3x4x4xf32>
        }}""",
        x, a, b,
    )  # fmt: skip
    v = (np.clip(2.0 * x.astype(np.float64) + 1, -1, 2) + a) * b
    np.testing.assert_allclose(y, v / (1 + np.exp(-v)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("scale(-0.5)", lambda v: -0.5 * v),
        ("relu", lambda v: np.maximum(v, 0)),
        ("leaky_relu(0.25)", lambda v: np.where(v < 0, 0.25 * v, v)),
        ("hard_sigmoid(0.5, 0.25)", lambda v: np.clip(0.5 * v + 0.25, 0, 1)),
        ("hard_swish", lambda v: v * np.clip(v / 6 + 0.5, 0, 1)),
        ("sigmoid", lambda v: 1 / (1 + np.exp(-v))),
        ("tanh", np.tanh),
        ("tanh(0.5, -1.0, 3.0, 0.25)", lambda v: 3 * np.tanh(0.5 * v - 1) + 0.25),
    ],
)
def test_epilogue_step(steps: str, expected: Callable[[np.ndarray], np.ndarray]) -> None:
    x = values(1, 2, 4, 4)
    (y,) = run(
        f"""
        ax.graph @main(%x: tensor<1x2x4x4xf32> "x") -> ("y") {{
          %y = ax.avg_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true
            epilogue <{steps}> : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
          ax.return %y : tensor<1x2x4x4xf32>
        }}""",
        x,
    )
    np.testing.assert_allclose(y, expected(x.astype(np.float64)), rtol=1e-6, atol=1e-7)


def test_epilogue_prelu_takes_its_slope() -> None:
    x, slope = values(1, 2, 2, 2), np.float32([0.5, -1]).reshape(1, 2, 1, 1)
    (y,) = run(
        """
        ax.graph @main(%x: tensor<1x2x2x2xf32> "x", %s: tensor<1x2x1x1xf32> "s") -> ("y") {
          %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
          %y = ax.conv_transpose %x, %w strides [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 2
            epilogue <prelu> extras %s : tensor<1x2x1x1xf32>
            : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
          ax.return %y : tensor<1x2x2x2xf32>
        }""",
        x, slope,
    )  # fmt: skip
    np.testing.assert_array_equal(y, np.where(x < 0, x * slope, x))


@st.composite
def window_cases(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, strides, dilations = draw(two), draw(two), draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    extents = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    size = tuple(draw(st.integers(e, e + 4)) for e in extents)
    pads = tuple(draw(st.integers(0, k - 1)) for k in (*kernel, *kernel))
    return {"kernel": kernel, "strides": strides, "dilations": dilations, "size": size, "pads": pads}


def taps(case: dict[str, tuple[int, ...]], y: int, x: int) -> list[tuple[int, int, int, int]]:
    """Row and column in the kernel and in the input, of every tap of one output that is inside the input."""
    found: list[tuple[int, int, int, int]] = []
    for i, j in itertools.product(*map(range, case["kernel"])):
        row = y * case["strides"][0] - case["pads"][0] + i * case["dilations"][0]
        column = x * case["strides"][1] - case["pads"][1] + j * case["dilations"][1]
        if 0 <= row < case["size"][0] and 0 <= column < case["size"][1]:
            found.append((i, j, row, column))
    return found


@given(window_cases(), st.sampled_from([1, 2, 4]), st.integers(1, 2))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_conv(case: dict[str, tuple[int, ...]], group: int, multiplier: int) -> None:
    x = RNG.integers(-4, 5, (2, 4, *case["size"])).astype(np.float32)
    depth = 4 // group
    w = RNG.integers(-4, 5, (group * multiplier, depth, *case["kernel"])).astype(np.float32)
    result = windows.conv(x, w, case["strides"], case["pads"], case["dilations"], group)
    for n, o, row, column in np.ndindex(*result.shape):
        first = o // multiplier * depth
        total = sum(
            float(x[n, first + c, r, k]) * float(w[o, c, i, j])
            for i, j, r, k in taps(case, row, column)
            for c in range(depth)
        )
        assert result[n, o, row, column] == total  # small integers: exact


@given(window_cases(), st.sampled_from([1, 2]), st.tuples(st.integers(0, 2), st.integers(0, 2)))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_conv_transpose(case: dict[str, tuple[int, ...]], group: int, extra: tuple[int, int]) -> None:
    """Every input spreads over the outputs that its window reaches."""
    x = RNG.integers(-4, 5, (1, 4, *case["size"])).astype(np.float32)
    w = RNG.integers(-4, 5, (4, 3, *case["kernel"])).astype(np.float32)
    try:
        result = windows.conv_transpose(x, w, case["strides"], case["pads"], extra, case["dilations"], group)
    except ValueError:
        return  # the pads leave no output
    expected = np.zeros_like(result)
    for c, o, row, column, i, j in np.ndindex(4, 3, *case["size"], *case["kernel"]):
        y = row * case["strides"][0] + i * case["dilations"][0] - case["pads"][0]
        z = column * case["strides"][1] + j * case["dilations"][1] - case["pads"][1]
        if 0 <= y < result.shape[2] and 0 <= z < result.shape[3]:
            expected[0, c // (4 // group) * 3 + o, y, z] += x[0, c, row, column] * w[c, o, i, j]
    np.testing.assert_array_equal(result, expected)


@given(window_cases(), st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_pools(case: dict[str, tuple[int, ...]], include: bool) -> None:
    x = RNG.integers(-9, 10, (1, 2, *case["size"])).astype(np.float32)
    rest = (case["kernel"], case["strides"], case["pads"], case["dilations"])
    greatest, mean = windows.max_pool(x, *rest), windows.avg_pool(x, *rest, include)
    assert greatest.shape == mean.shape
    for n, c, row, column in np.ndindex(*mean.shape):
        inside = [float(x[n, c, r, k]) for _, _, r, k in taps(case, row, column)]
        if not inside:
            continue  # the verifier refuses such a pool
        assert greatest[n, c, row, column] == max(inside)
        count = math.prod(case["kernel"]) if include else len(inside)
        assert mean[n, c, row, column] == pytest.approx(sum(inside) / count, rel=1e-6, abs=1e-6)


def test_pad_crops_where_pads_are_negative() -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    (y,) = run(
        """
        ax.graph @main(%x: tensor<3x4xf32> "x") -> ("y") {
          %y = ax.pad %x pads [-1, 1, 1, -2] value 7.0 : tensor<3x4xf32> -> tensor<3x3xf32>
          ax.return %y : tensor<3x3xf32>
        }""",
        x,
    )
    np.testing.assert_array_equal(y, [[7, 4, 5], [7, 8, 9], [7, 7, 7]])


def test_every_operator_has_a_function() -> None:
    typed = [op for op in ax.Ax.operations if issubclass(op, base.TypedOp)]
    assert set(typed) == set(FUNCTIONS)


def test_values_are_observed_and_released() -> None:
    ctx = make_context()
    module = parse_module(
        ctx,
        """
        ax.graph @main(%x: tensor<2xf32> "x") -> ("a", "c") {
          %a = ax.relu %x : tensor<2xf32> -> tensor<2xf32>
          %b = ax.tanh %a : tensor<2xf32> -> tensor<2xf32>
          %c = ax.add %b, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          ax.return %a, %c : tensor<2xf32>, tensor<2xf32>
        }""",
        "test",
    )
    (graph,) = module.ops
    assert isinstance(graph, ax.GraphOp)
    seen: list[str | None] = []
    a, c = run_graph(graph, [np.float32([-1, 2])], ctx.store, lambda value, _: seen.append(value.name_hint))
    assert seen == ["a", "b", "c"]
    np.testing.assert_array_equal(a, [0, 2])
    np.testing.assert_allclose(c, 2 * np.tanh([0, 2]), rtol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "takes 1 inputs, 0 given"),
        ([np.zeros((3,), np.float32)], r"input 'x' is float32\[3\], not tensor<2xf32>"),
        ([np.zeros((2,))], r"input 'x' is float64\[2\], not tensor<2xf32>"),
    ],
)
def test_inputs_must_fit(inputs: list[np.ndarray], message: str) -> None:
    with pytest.raises(AxirError, match=message):
        run('ax.graph @main(%x: tensor<2xf32> "x") -> () { ax.return }', *inputs)


def test_missing_weights_are_named() -> None:
    text = """
        ax.graph @main() -> ("w") {
          %w = ax.constant #ax.weight<"00112233445566778899aabbccddeeff", tensor<100xf32>> : tensor<100xf32>
          ax.return %w : tensor<100xf32>
        }"""
    with pytest.raises(AxirError, match="00112233445566778899aabbccddeeff is not in the weight store"):
        run(text)
