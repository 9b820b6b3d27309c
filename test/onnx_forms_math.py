"""Forms of functions, reductions and normalizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx_form import ALL, Form, X, floats, ints

FUNCTIONS: Mapping[str, tuple[Sequence[int], Mapping[str, float]]] = {
    "Abs": (ALL, {}),
    "Celu": ((12, 21), {"alpha": 0.4}),
    "Cos": (ALL, {}),
    "Elu": (ALL, {"alpha": 0.7}),
    "Erf": ((9, 13, 21), {}),
    "Exp": (ALL, {}),
    "Gelu": ((20, 21), {}),
    "Mish": ((18, 21), {}),
    "Reciprocal": (ALL, {}),
    "Selu": (ALL, {"alpha": 1.2, "gamma": 0.9}),
    "Sin": (ALL, {}),
    "Softplus": (ALL, {}),
    "Softsign": (ALL, {}),
    "ThresholdedRelu": ((10, 21), {"alpha": 0.4}),
}
"""The operator sets of functions, and other values of their attributes than the defaults."""

REDUCTIONS = {
    "ReduceMean": ["reduce"], "ReduceSum": ["reduce"], "ReduceMax": ["reduce"], "ReduceMin": ["reduce"],
    "ReduceL1": ["unary", "reduce"], "ReduceL2": ["mul", "reduce", "unary"], "ReduceSumSquare": ["mul", "reduce"],
    "ReduceLogSum": ["reduce", "unary"],
}  # fmt: skip


def reduction_forms(kind: str, made: Sequence[str]) -> dict[str, Form]:
    """All axes, some, negative ones; axes as attribute and as input; kept or not; no axis at all."""
    at_13 = kind == "ReduceSum"
    attribute, given = ((7, 11), (13, 18, 21)) if at_13 else ((7, 11, 13), (18, 21))
    name = kind.lower()
    if kind == "ReduceLogSum":  # of positive numbers
        return {name: Form(kind, attribute, made, {"x": (1, 1)}, attributes={"axes": [1]})}
    return {
        name: Form(kind, attribute, made, attributes={"axes": [2, 3]}),
        f"{name}-negative": Form(kind, attribute[1:], made, attributes={"axes": [-1, 1], "keepdims": 0}),
        f"{name}-all": Form(kind, ALL, made),
        f"{name}-input": Form(kind, given, made, constants={"axes": ints(-1, 1)}, attributes={"keepdims": 0}),
        f"{name}-empty": Form(kind, given, made, constants={"axes": ints()}),
        f"{name}-noop": Form(
            kind, given, [op for op in made if op != "reduce"], attributes={"noop_with_empty_axes": 1}
        ),
    }


C, PLANE, LAST = {"s": floats(4), "b": floats(4)}, {"s": floats(6, 5), "b": floats(6, 5)}, {"s": floats(5)}

FORMS = {
    **{kind.lower(): Form(kind, opsets, ["unary"]) for kind, (opsets, _) in FUNCTIONS.items()},
    **{
        f"{kind.lower()}-attributes": Form(kind, opsets, ["unary"], attributes=attributes)
        for kind, (opsets, attributes) in FUNCTIONS.items()
        if attributes
    },
    "gelu-tanh": Form("Gelu", (20, 21), ["unary"], attributes={"approximate": "tanh"}),
    "neg": Form("Neg", ALL, ["mul"]),
    "pow-square": Form("Pow", ALL, ["mul"], constants={"e": np.float32(2)}),
    "pow-cube": Form("Pow", ALL, ["unary"], constants={"e": np.float32([3])}),
    "pow-one": Form("Pow", ALL, [], constants={"e": np.float32(1)}),
    "pow-inverse": Form("Pow", ALL, ["unary"], constants={"e": np.full((1, 1, 5), -1, np.float32)}),
    "pow-integer": Form("Pow", (12, 13, 15), ["unary"], constants={"e": np.int64(4)}),
    "pow-several": Form("Pow", (7, 13), ["onnx:Pow"], constants={"e": np.float32([1, 2, 3, 2, 1])}),
    "pow-wide": Form("Pow", (7, 13), ["onnx:Pow"], constants={"e": np.full((3, 1, 1, 1, 1), 2, np.float32)}),
    "pow-runtime": Form("Pow", (7, 13), ["onnx:Pow"], {"x": (2,), "e": (2,)}),
    "max": Form("Max", (8, 13), ["max", "max"], {**X, "b": (4, 1, 1), "c": (5,)}),
    "min": Form("Min", (8, 13), ["min"], {**X, "b": (2, 4, 6, 5)}),
    "max-constant": Form("Max", (8, 13), ["max"], constants={"c": np.float32(0.25)}),
    "min-of-one": Form("Min", ALL, []),
    "mean": Form("Mean", (8, 13), ["add", "add", "mul"], {**X, "b": (4, 1, 1), "c": (5,)}),
    "cast-like": Form("CastLike", (15, 19, 21), [], {**X, "b": (1,)}),
    **{name: form for kind, made in REDUCTIONS.items() for name, form in reduction_forms(kind, made).items()},
    "layer-norm": Form("LayerNormalization", (17, 21), ["normalize"], constants=LAST),
    "layer-norm-axis": Form(
        "LayerNormalization", (17, 21), ["normalize"], constants=PLANE, attributes={"axis": 2, "epsilon": 0.01}
    ),
    "layer-norm-mean": Form(
        "LayerNormalization", (17, 21), ["onnx:LayerNormalization"], constants=LAST, outputs=["y", "m"]
    ),
    "instance-norm": Form(
        "InstanceNormalization", ALL, ["reshape", "reshape", "normalize"], constants=C, attributes={"epsilon": 0.01}
    ),
    "instance-norm-1d": Form(
        "InstanceNormalization", ALL, ["reshape", "reshape", "normalize"], {"x": (2, 4, 7)}, constants=C
    ),
    "group-norm": Form(
        "GroupNormalization", (21,), ["reshape", "reshape", "reshape", "normalize", "reshape"],
        constants=C, attributes={"num_groups": 2},
    ),
    "mean-variance": Form("MeanVarianceNormalization", (9, 13), ["normalize"]),
    "mean-variance-axes": Form("MeanVarianceNormalization", (9, 13), ["normalize"], attributes={"axes": [1, -1]}),
    "log-softmax": Form("LogSoftmax", (7, 13), ["onnx:LogSoftmax"]),
    "softmax-columns": Form("Softmax", (13, 21), ["softmax"], attributes={"axis": -2}),
    "softmax-coerced-all": Form("Softmax", (7, 11), ["reshape", "softmax", "reshape"], attributes={"axis": 0}),
    "softmax-coerced-negative": Form("Softmax", (11,), ["softmax"], attributes={"axis": -1}),
    "arg-max": Form("ArgMax", (7, 11, 13), ["onnx:ArgMax"], attributes={"axis": 1}),
}  # fmt: skip
