"""Every form that the operators `ax` knows have had in ONNX's operator sets 7 to 21."""

from __future__ import annotations

import numpy as np
import onnx_forms_math
import onnx_forms_movement
from onnx_form import ALL, ATTRIBUTE, AXES_ATTRIBUTE, AXES_INPUT, INPUT, Form, X, floats, ints

W = {"w": floats(8, 4, 3, 3)}
GROUPED = {"w": floats(8, 2, 3, 3)}
DEPTHWISE = {"w": floats(4, 1, 3, 3), "b": floats(4)}
TRANSPOSED = {"w": floats(4, 6, 3, 3)}
CHANNELS = {name: floats(4) for name in ("scale", "bias", "mean", "variance")}

FORMS = {
    **onnx_forms_math.FORMS,
    **onnx_forms_movement.FORMS,
    "conv": Form("Conv", ALL, ["conv"], constants=W),
    "conv-strides": Form("Conv", ALL, ["conv"], constants=W, attributes={"strides": [2, 1], "pads": [1, 0, 2, 1]}),
    "conv-dilations": Form("Conv", ALL, ["conv"], constants=W, attributes={"dilations": [2, 1], "pads": [1, 1, 1, 1]}),
    "conv-group": Form("Conv", ALL, ["conv"], constants=GROUPED, attributes={"group": 2, "kernel_shape": [3, 3]}),
    "conv-depthwise": Form("Conv", ALL, ["conv"], constants=DEPTHWISE, attributes={"group": 4, "strides": [2, 2]}),
    "conv-same-upper": Form(
        "Conv", ALL, ["conv"], constants=W, attributes={"auto_pad": "SAME_UPPER", "strides": [2, 2]}
    ),
    "conv-same-lower": Form(
        "Conv", ALL, ["conv"], constants=W, attributes={"auto_pad": "SAME_LOWER", "strides": [2, 2]}
    ),
    "conv-valid": Form("Conv", ALL, ["conv"], constants=W, attributes={"auto_pad": "VALID"}),
    "conv-runtime-weight": Form("Conv", ALL, ["conv"], inputs={**X, "w": (3, 4, 2, 2)}),
    "conv-1d": Form(
        "Conv", ALL, ["reshape", "reshape", "conv", "reshape"], {"x": (1, 4, 9)},
        constants={"w": floats(2, 2, 3), "b": floats(2)},
        attributes={"group": 2, "pads": [1, 2], "strides": [2], "dilations": [2]},
    ),
    "conv-1d-same": Form(
        "Conv", ALL, ["reshape", "reshape", "conv", "reshape"], {"x": (1, 4, 9)}, constants={"w": floats(2, 4, 4)},
        attributes={"auto_pad": "SAME_LOWER", "strides": [2]},
    ),
    "conv-transpose-1d": Form(
        "ConvTranspose", ALL, ["reshape", "reshape", "conv_transpose", "reshape"], {"x": (1, 4, 9)},
        constants={"w": floats(4, 2, 3)}, attributes={"pads": [1, 0], "strides": [2], "output_padding": [1]},
    ),
    "conv-transpose-1d-output-shape": Form(
        "ConvTranspose", ALL, ["reshape", "reshape", "conv_transpose", "reshape"], {"x": (1, 4, 9)},
        constants={"w": floats(4, 2, 3)}, attributes={"strides": [2], "output_shape": [18]},
    ),
    "max-pool-1d": Form(
        "MaxPool", (10, 12, 21), ["reshape", "max_pool", "reshape"], {"x": (1, 4, 9)},
        attributes={"kernel_shape": [3], "strides": [2], "pads": [1, 0], "ceil_mode": 1},
    ),
    "avg-pool-1d": Form(
        "AveragePool", ALL, ["reshape", "avg_pool", "reshape"], {"x": (1, 4, 9)},
        attributes={"kernel_shape": [3], "strides": [2], "pads": [1, 1], "count_include_pad": 1},
    ),
    "global-avg-pool-1d": Form("GlobalAveragePool", ALL, ["global_avg_pool"], {"x": (1, 4, 9)}),
    "conv-3d": Form("Conv", (11,), ["onnx:Conv"], {"x": (1, 2, 3, 4, 5)}, constants={"w": floats(2, 2, 2, 2, 2)}),
    "conv-transpose": Form("ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED),
    "conv-transpose-strides": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants={**TRANSPOSED, "b": floats(6)},
        attributes={"strides": [2, 3], "pads": [1, 0, 0, 1], "output_padding": [1, 2]},
    ),
    "conv-transpose-group": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED, attributes={"group": 2, "dilations": [2, 1]}
    ),
    "conv-transpose-output-shape": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED,
        attributes={"strides": [2, 2], "output_shape": [12, 10]},
    ),
    "conv-transpose-large-output-shape": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED,
        attributes={"strides": [2, 2], "output_shape": [14, 12]},
    ),
    "conv-transpose-same-upper": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED,
        attributes={"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ),
    "conv-transpose-same-lower": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED,
        attributes={"strides": [2, 2], "auto_pad": "SAME_LOWER"},
    ),
    "conv-transpose-valid": Form(
        "ConvTranspose", ALL, ["conv_transpose"], constants=TRANSPOSED, attributes={"auto_pad": "VALID"}
    ),
    "gemm": Form("Gemm", ALL, ["gemm"], {"x": (3, 5)}, {"b": floats(5, 4), "c": floats(4)}),
    "gemm-attributes": Form(
        "Gemm", ALL, ["gemm"], {"x": (5, 3)}, {"b": floats(4, 5), "c": floats(3, 1)},
        attributes={"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0},
    ),
    "gemm-without-c": Form("Gemm", INPUT, ["gemm"], {"x": (3, 5)}, {"b": floats(5, 4)}),
    "matmul": Form("MatMul", ALL, ["matmul"], {"x": (2, 3, 4, 5)}, {"b": floats(5, 6)}),
    "matmul-runtime": Form("MatMul", ALL, ["matmul"], {"x": (2, 1, 4, 5), "b": (3, 5, 6)}),
    "matmul-vector-left": Form("MatMul", ALL, ["reshape", "matmul", "reshape"], {"x": (5,)}, {"b": floats(2, 5, 6)}),
    "matmul-vector-right": Form("MatMul", ALL, ["reshape", "matmul", "reshape"], {"x": (2, 4, 5)}, {"b": floats(5)}),
    "matmul-vectors": Form("MatMul", ALL, ["reshape", "reshape", "matmul", "reshape"], {"x": (5,), "b": (5,)}),
    "batch-norm": Form("BatchNormalization", ALL, ["batch_norm"], constants=CHANNELS, attributes={"epsilon": 0.01}),
    "batch-norm-matrix": Form("BatchNormalization", (9, 15), ["batch_norm"], {"x": (3, 4)}, CHANNELS),
    "max-pool": Form("MaxPool", ALL, ["max_pool"], attributes={"kernel_shape": [2, 3], "strides": [2, 1]}),
    "max-pool-pads": Form(
        "MaxPool", ALL, ["max_pool"], attributes={"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 2]}
    ),
    "max-pool-dilations": Form(
        "MaxPool", (10, 12, 21), ["max_pool"], attributes={"kernel_shape": [2, 2], "dilations": [3, 2]}
    ),
    "max-pool-ceil": Form(
        "MaxPool", (10, 12, 21), ["max_pool"], attributes={"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}
    ),
    "max-pool-ceil-pads": Form(
        "MaxPool", (10, 12, 21), ["max_pool"],
        attributes={"kernel_shape": [2, 2], "strides": [3, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    ),
    "max-pool-same-upper": Form(
        "MaxPool", ALL, ["max_pool"], attributes={"kernel_shape": [2, 4], "strides": [2, 2], "auto_pad": "SAME_UPPER"}
    ),
    "max-pool-same-lower": Form(
        "MaxPool", ALL, ["max_pool"], attributes={"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}
    ),
    "max-pool-valid-ceil": Form(
        "MaxPool", (10, 12, 21), ["max_pool"],
        attributes={"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "VALID", "ceil_mode": 1},
    ),
    "max-pool-valid-ceil-rounded": Form(
        "MaxPool", (10, 12, 21), ["onnx:MaxPool"],
        attributes={"kernel_shape": [3, 3], "strides": [2, 3], "auto_pad": "VALID", "ceil_mode": 1},
    ),
    "max-pool-indices": Form(
        "MaxPool", (8, 12), ["onnx:MaxPool"], {"x": (1, 2, 4, 4)}, outputs=["y", "i"],
        attributes={"kernel_shape": [2, 2], "strides": [2, 2]},
    ),
    "avg-pool": Form("AveragePool", ALL, ["avg_pool"], attributes={"kernel_shape": [2, 3]}),
    "avg-pool-exclude": Form(
        "AveragePool", ALL, ["avg_pool"], attributes={"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}
    ),
    "avg-pool-include": Form(
        "AveragePool", ALL, ["avg_pool"],
        attributes={"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1},
    ),
    "avg-pool-ceil": Form(
        "AveragePool", (10, 19, 21), ["avg_pool"],
        attributes={"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1},
    ),
    "avg-pool-ceil-include": Form(
        "AveragePool", (19, 21), ["pad", "avg_pool"],
        attributes={"kernel_shape": [3, 3], "strides": [2, 3], "pads": [1, 0, 0, 0], "ceil_mode": 1,
                    "count_include_pad": 1},
    ),
    "avg-pool-dilations": Form(
        "AveragePool", (19, 21), ["avg_pool"], attributes={"kernel_shape": [2, 2], "dilations": [2, 3]}
    ),
    "avg-pool-same": Form(
        "AveragePool", ALL, ["avg_pool"], attributes={"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"}
    ),
    "global-avg-pool": Form("GlobalAveragePool", ALL, ["global_avg_pool"]),
    "global-max-pool": Form("GlobalMaxPool", ALL, ["global_max_pool"]),
    **{
        f"{kind.lower()}-{name}": Form(kind, ALL, [kind.lower()], {**X, "b": shape})
        for kind in ("Add", "Sub", "Mul", "Div")
        for name, shape in (("same", (2, 4, 6, 5)), ("channel", (4, 1, 1)), ("outer", (3, 1, 1, 1, 1)))
    },
    "sum": Form("Sum", (8, 13, 21), ["add", "add"], {**X, "b": (4, 1, 1), "c": (5,)}),
    "sum-of-one": Form("Sum", ALL, []),
    "relu": Form("Relu", ALL, ["relu"]),
    "sigmoid": Form("Sigmoid", ALL, ["sigmoid"]),
    "tanh": Form("Tanh", ALL, ["tanh"]),
    "hard-swish": Form("HardSwish", (14, 21), ["hard_swish"]),
    "hard-sigmoid": Form("HardSigmoid", ALL, ["hard_sigmoid"]),
    "hard-sigmoid-attributes": Form(
        "HardSigmoid", ALL, ["hard_sigmoid"], attributes={"alpha": 1 / 6, "beta": 0.4}
    ),
    "leaky-relu": Form("LeakyRelu", ALL, ["leaky_relu"]),
    "leaky-relu-alpha": Form("LeakyRelu", ALL, ["leaky_relu"], attributes={"alpha": 0.3}),
    "prelu": Form("PRelu", ALL, ["prelu"], constants={"slope": floats(4, 1, 1)}),
    "prelu-scalar": Form("PRelu", ALL, ["prelu"], constants={"slope": floats(1)}),
    "clip-attributes": Form("Clip", ATTRIBUTE, ["clip"], attributes={"min": -0.5, "max": 0.75}),
    "clip-one-attribute": Form("Clip", ATTRIBUTE, ["clip"], attributes={"max": 0.75}),
    "clip-inputs": Form("Clip", INPUT, ["clip"], constants={"min": np.float32(-0.5), "max": np.float32(0.75)}),
    "clip-max-input": Form("Clip", INPUT, ["clip"], constants={"max": np.float32(0.75)}, order=["x", "", "max"]),
    "clip-no-bound": Form("Clip", INPUT, ["clip"]),
    "clip-runtime-bound": Form("Clip", (11, 13), ["onnx:Clip"], {**X, "min": ()}),
    "softmax-last": Form("Softmax", ALL, ["softmax"], {"x": (3, 7)}),
    "softmax-coerced": Form("Softmax", (7, 11, 12), ["reshape", "softmax", "reshape"]),
    "softmax-coerced-axis": Form(
        "Softmax", (7, 11, 12), ["reshape", "softmax", "reshape"], attributes={"axis": 2}
    ),
    "softmax-coerced-pixel": Form("Softmax", (7, 11, 12), ["softmax"], {"x": (2, 5, 1, 1)}),
    "softmax-axis": Form("Softmax", (13, 21), ["softmax"], attributes={"axis": 1}),
    "softmax-default": Form("Softmax", (13, 21), ["softmax"]),
    "concat": Form("Concat", ALL, ["concat"], {**X, "b": (2, 3, 6, 5)}, attributes={"axis": 1}),
    "concat-negative": Form("Concat", (11, 13), ["concat"], {**X, "b": (2, 4, 6, 1)}, attributes={"axis": -1}),
    "concat-of-one": Form("Concat", ALL, [], attributes={"axis": 1}),
    "slice-attributes": Form("Slice", (7, 9), ["slice"], attributes={"starts": [1, -3], "ends": [3, 9999]}),
    "slice-attribute-axes": Form(
        "Slice", (7, 9), ["slice"], attributes={"starts": [0], "ends": [-1], "axes": [2]}
    ),
    "slice-inputs": Form(
        "Slice", (10, 13), ["slice"],
        constants={"s": ints(1, -4), "e": ints(2**63 - 1, -1), "a": ints(-3, 3), "t": ints(2, 1)},
    ),
    "slice-no-axes": Form("Slice", (10, 13), ["slice"], constants={"s": ints(0, 1), "e": ints(1, 3)}),
    "slice-backwards": Form(
        "Slice", (10, 13), ["gather"], constants={"s": ints(-1), "e": ints(-9), "a": ints(1), "t": ints(-1)}
    ),
    "gather-scalar": Form("Gather", ALL, ["slice", "reshape"], constants={"i": np.int64(-1)}, attributes={"axis": 1}),
    "gather-steps": Form("Gather", ALL, ["slice"], constants={"i": ints(1, 3, 5)}, attributes={"axis": 2}),
    "gather-shuffled": Form("Gather", ALL, ["gather"], constants={"i": ints(1, 0)}, attributes={"axis": 2}),
    "split-attribute": Form(
        "Split", (7, 11), ["slice", "slice"], outputs=["y", "z"], attributes={"axis": 1, "split": [1, 3]}
    ),
    "split-even": Form("Split", (7, 11, 13), ["slice", "slice"], outputs=["y", "z"], attributes={"axis": 2}),
    "split-input": Form(
        "Split", (13, 18), ["slice", "slice"], constants={"s": ints(4, 1)}, outputs=["y", "z"], attributes={"axis": -1}
    ),
    "split-uneven": Form(
        "Split", (18, 21), ["slice"] * 3, outputs=["u", "v", "w"], attributes={"axis": 3, "num_outputs": 3}
    ),
    "pad-attributes": Form(
        "Pad", ATTRIBUTE, ["pad"], attributes={"pads": [0, 1, 2, 0, 0, 0, 1, 3], "value": 1.5}
    ),
    "pad-negative": Form("Pad", ATTRIBUTE, ["pad"], attributes={"pads": [0, 0, -1, 2, 0, 0, 1, -2]}),
    "pad-inputs": Form(
        "Pad", INPUT, ["pad"], constants={"p": ints(0, 1, 2, 0, 0, 0, 1, 3), "v": np.float32(-2)}
    ),
    "pad-axes": Form(
        "Pad", (18, 21), ["pad"], constants={"p": ints(1, 2, 3, 4), "axes": ints(2, -1)}, order=["x", "p", "", "axes"]
    ),
    "pad-reflect": Form(
        "Pad", (7, 10), ["pad"], attributes={"pads": [0, 0, 1, 1, 0, 0, 1, 1], "mode": "reflect"}
    ),
    "reshape": Form("Reshape", ALL, ["reshape"], constants={"s": ints(0, 2, -1)}),
    "reshape-same": Form("Reshape", ALL, [], constants={"s": ints(0, 0, 6, 5)}),
    "flatten": Form("Flatten", ALL, ["reshape"]),
    "flatten-axis": Form("Flatten", ALL, ["reshape"], attributes={"axis": 3}),
    "flatten-negative": Form("Flatten", (11, 13), ["reshape"], attributes={"axis": -2}),
    "flatten-all": Form("Flatten", ALL, ["reshape"], attributes={"axis": 4}),
    "squeeze-attribute": Form("Squeeze", AXES_ATTRIBUTE, ["reshape"], {"x": (1, 3, 1, 1)}, attributes={"axes": [0, 3]}),
    "squeeze-all": Form("Squeeze", ALL, ["reshape"], {"x": (1, 3, 1, 4)}),
    "squeeze-input": Form("Squeeze", AXES_INPUT, ["reshape"], {"x": (1, 3, 1, 1)}, {"a": ints(-1)}),
    "unsqueeze-attribute": Form("Unsqueeze", AXES_ATTRIBUTE, ["reshape"], {"x": (3, 4)}, attributes={"axes": [0, 3]}),
    "unsqueeze-input": Form("Unsqueeze", AXES_INPUT, ["reshape"], {"x": (3, 4)}, {"a": ints(-1, 1)}),
    "transpose": Form("Transpose", ALL, ["transpose"], attributes={"perm": [0, 2, 3, 1]}),
    "transpose-default": Form("Transpose", ALL, ["transpose"]),
    "identity": Form("Identity", ALL, []),
    "dropout-attribute": Form("Dropout", (7, 10), [], attributes={"ratio": 0.3}),
    "dropout-input": Form("Dropout", (12, 13), [], constants={"r": np.float32(0.3), "t": np.bool_(False)}),
    "cast": Form("Cast", ALL, [], attributes={"to": 1}),
    "cast-to-int": Form("Cast", ALL, ["onnx:Cast"], attributes={"to": 7}),
}  # fmt: skip
