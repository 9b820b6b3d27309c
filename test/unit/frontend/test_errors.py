"""What is wrong with a model is said with file, node and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import imported, make_model, single

from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError, to_axir_error

X = {"x": (1, 3, 8, 8)}
W = {"w": np.ones((4, 3, 3, 3), np.float32)}
NAN, INFINITE = W["w"].copy(), W["w"].copy()
NAN[1, 2, 0, 0] = np.nan
INFINITE[3, 0, 0, 0] = -np.inf


def node(kind: str, inputs: list[str], output: str, name: str = "", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], name=name, **attributes)


def cycle() -> onnx.ModelProto:
    nodes = [node("Add", ["x", "b"], "a", "first"), node("Relu", ["a"], "b", "second"), node("Relu", ["b"], "y")]
    return make_model(nodes, X, ["y"])


def opset(version: int) -> onnx.ModelProto:
    return single("Relu", X, opset=version)


def other_domain(version: int) -> onnx.ModelProto:
    model = single("Relu", X)
    model.opset_import.add(domain="other", version=version)
    return model


def without_opset() -> onnx.ModelProto:
    model = single("Relu", X)
    del model.opset_import[:]
    return model


def with_external_data(location: str) -> onnx.ModelProto:
    model = single("Conv", X, W)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


def short_initializer() -> onnx.ModelProto:
    model = single("Conv", X, W)
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-1]
    return model


def sequence_input() -> onnx.ModelProto:
    model = single("Relu", X)
    model.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1]))
    return model


def if_node() -> onnx.ModelProto:
    branch = helper.make_graph([node("Relu", ["x"], "t")], "branch", [], [onnx.ValueInfoProto(name="t")])
    return single("If", X, {"c": np.bool_(True)}, order=["c"], then_branch=branch, else_branch=branch)


def custom() -> onnx.ModelProto:
    nodes = [helper.make_node("Mystery", ["x"], ["y"], name="node", domain="com.example")]
    return make_model(nodes, X, ["y"], domains={"com.example": 1})


def twice_named_output() -> onnx.ModelProto:
    return make_model([node("Relu", ["x"], "y")], X, ["y", "y"])


# Model, the node the error names, a part of the message, a part of a note.
CASES: dict[str, tuple[Callable[[], onnx.ModelProto], str | None, str, str]] = {
    "opset 6": (lambda: opset(6), None, "operator set 6; operator sets 7 to 21 are supported", "opset_version"),
    "other opset": (lambda: other_domain(2**40), None, "version 1099511627776 of the operators of 'other'", "damaged"),
    "opset 99": (lambda: opset(99), None, "operator set 99; operator sets 7 to 21 are supported", "version_converter"),
    "no opset": (without_opset, None, "does not say which ONNX operator set", "7 to 21"),
    "cycle": (cycle, "second", "Relu depends on itself through 'a'", "not well formed"),
    "dangling": (
        lambda: make_model([node("Relu", ["nothing"], "y")], X, ["y"]), "Relu_0",
        "Relu uses 'nothing', which nothing defines", "not well formed",
    ),
    "dangling output": (
        lambda: make_model([node("Relu", ["x"], "y")], X, ["z"]), None, "returns 'z', which nothing defines", "",
    ),
    "no output": (lambda: make_model([node("Relu", ["x"], "y")], X, []), None, "the graph has no output", ""),
    "defined twice": (
        lambda: make_model([node("Relu", ["x"], "y", "one"), node("Tanh", ["x"], "y", "two")], X, ["y"]), "two",
        "Tanh defines 'y', which node 'one' defines already", "not well formed",
    ),
    "defines an input": (
        lambda: make_model([node("Relu", ["x"], "x", "one")], X, ["x"]), "one", "defines 'x', which is an input", "",
    ),
    "output twice": (twice_named_output, None, "two outputs of the graph are named 'y'", ""),
    "dynamic": (
        lambda: single("Relu", {"x": (1, 3, "height", "width")}), None,
        "dimension 2 of input 'x' is dynamic ('height')", "--input-shape x=1,3,224,224",
    ),
    "unnamed dynamic": (
        lambda: single("Relu", {"x": (None, 3)}), None, "dimension 0 of input 'x' is dynamic", "--input-shape x=1,3",
    ),
    "no shape": (lambda: single("Relu", {"x": None}), None, "input 'x' has no shape", "--input-shape x="),
    "zero size": (lambda: single("Relu", {"x": (1, 0)}), None, "dimension 1 of input 'x' is 0", "--input-shape x=1,"),
    "zero-size result": (
        lambda: single("Slice", X, {"s": np.array([4]), "e": np.array([2])}), "node",
        "Slice: a tensor of shape [0, 3, 8, 8] has no elements", "",
    ),
    "nan": (lambda: single("Conv", X, {"w": NAN}), "node", "initializer 'w' holds NaN", "weights are damaged"),
    "infinite": (lambda: single("Conv", X, {"w": INFINITE}), "node", "'w' holds infinite values", "damaged"),
    "too large for f32": (
        lambda: single("Add", X, {"w": np.full((1,), 1e300)}), "node", "initializer 'w' holds infinite values", "",
    ),
    "nan behind identity": (
        lambda: make_model(
            [node("Identity", ["w"], "v"), node("Conv", ["x", "v"], "y", "node")], X, ["y"], {"w": NAN}
        ), "node", "initializer 'w' holds NaN", "",
    ),
    "missing external data": (
        lambda: with_external_data("weights.bin"), "node", "initializer 'w': its data is in the file 'weights.bin'",
        "",
    ),
    "short initializer": (short_initializer, "node", "initializer 'w': its data does not fill", ""),
    "sequence": (sequence_input, None, "input 'x' is not a tensor", ""),
    "control flow": (if_node, "node", "If holds a subgraph: control flow is not supported", "simplify"),
    "custom operator": (
        custom, "node", "Mystery: the shape of the result 'y' is not known before the model runs", "static shapes",
    ),
    "data-dependent shape": (
        lambda: single("NonZero", X), "node", "NonZero: the shape of the result 'y' is not known", "static shapes",
    ),
    "runtime reshape": (
        lambda: make_model(
            [node("Cast", ["x"], "i", to=7), node("Reshape", ["x", "i"], "y", "node")], {"x": (2,)}, ["y"]
        ), "node", "Reshape: the shape of the result 'y' is not known", "static shapes",
    ),
    "element type": (
        lambda: make_model([node("Relu", ["x"], "y")], X, ["y"], elem_type=TensorProto.UINT32), None,
        "input 'x': element type UINT32 is not supported", "",
    ),
    "element type of a constant": (
        lambda: single("Add", X, {"w": np.zeros(1, np.uint32)}), "node", "Add: element type UINT32 is not", "",
    ),
    "element type of an output": (
        lambda: make_model([node("Identity", ["w"], "y", "node")], X, ["y"], {"w": np.zeros(1, np.uint32)}), None,
        "output 'y': element type UINT32 is not supported", "",
    ),
    "huge constant": (
        lambda: single("ConstantOfShape", {}, {"s": np.array([1 << 20, 1 << 20])}), "node",
        "computes a constant of shape [1048576, 1048576]", "",
    ),
    "unknown operator": (lambda: single("Rleu", X), "node", "Rleu: No Op registered for Rleu", ""),
    "unknown attribute": (lambda: single("Relu", X, slope=1.0), "node", "Unrecognized attribute: slope", ""),
    "attribute of another type": (
        lambda: single("Conv", X, W, group=1.5), "node", "Mismatched attribute type", "",
    ),
    "missing attribute": (lambda: single("MaxPool", X), "node", "Required attribute 'kernel_shape' is missing", ""),
    "group": (lambda: single("Conv", X, W, group=2), "node", "Conv: group 2 does not divide 3 input", ""),
    "group of zero": (lambda: single("Conv", X, W, group=0), "node", "Conv: group 0", ""),
    "strides": (lambda: single("Conv", X, W, strides=[0, 1]), "node", "strides must be two positive numbers", ""),
    "too many strides": (lambda: single("Conv", X, W, strides=[1, 1, 1]), "node", "strides must be two", ""),
    "dilations": (lambda: single("Conv", X, W, dilations=[1, -1]), "node", "dilations must be two positive", ""),
    "pads": (lambda: single("Conv", X, W, pads=[-1, 0, 0, 0]), "node", "pads must be four numbers >= 0", ""),
    "auto_pad": (lambda: single("Conv", X, W, auto_pad="SAME"), "node", "auto_pad cannot be 'SAME'", ""),
    "kernel_shape": (
        lambda: single("Conv", X, W, kernel_shape=[5, 5]), "node", "kernel_shape [5, 5] differs from the weight's", "",
    ),
    "window": (
        lambda: single("MaxPool", X, kernel_shape=[9, 1]), "node", "window of 9 is larger than the padded input of 8",
        "",
    ),
    "pads beyond the window": (
        lambda: single("MaxPool", X, kernel_shape=[2, 2], pads=[2, 0, 0, 0]), "node",
        "so large that a window lies in the padding alone", "",
    ),
    "channels": (
        lambda: single("Conv", {"x": (1, 4, 8, 8)}, W), "node", "weight expects 3 input channels, input has 4", "",
    ),
    "axis": (lambda: single("Softmax", X, axis=4), "node", "Softmax: axis 4 is outside of rank 4", ""),
    "concat": (
        lambda: single("Concat", {**X, "z": (1, 3, 8, 9)}, axis=1), "node", "differ outside axis 1", "",
    ),
    "perm": (lambda: single("Transpose", X, perm=[0, 1, 2, 2]), "node", "[0, 1, 2, 2] is no permutation", ""),
    "reshape": (
        lambda: single("Reshape", X, {"s": np.array([-1, 5])}), "node", "[1, 3, 8, 8] does not reshape to [-1, 5]", "",
    ),
    "broadcast": (lambda: single("Add", {**X, "z": (5,)}), "node", "do not broadcast", ""),
    "step": (
        lambda: single("Slice", X, {n: np.array([v]) for n, v in (("s", 0), ("e", 2), ("a", 2), ("t", 0))}), "node",
        "Slice: a step is 0", "",
    ),
    "host operator": (
        lambda: single("DepthToSpace", X, blocksize=2), "node", "DepthToSpace:", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_broken_model(case: str, tmp_path: Path) -> None:
    make, where, message, note = CASES[case]
    path = tmp_path / "net.onnx"
    path.write_bytes(make().SerializeToString())
    with pytest.raises(AxirError) as raised:
        import_model(path, make_context())
    error = raised.value
    assert message in error.message
    assert error.node == where
    assert error.location is not None
    assert error.location.startswith("net.onnx:" if where else "net.onnx")
    assert note in "\n".join(error.notes)
    assert str(tmp_path) not in error.render()


def test_the_user_sees_position_node_and_advice(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], "a"), node("Conv", ["a", "w"], "y", "stem", strides=[0, 0])]
    path = tmp_path / "net.onnx"
    path.write_bytes(make_model(nodes, X, ["y"], W).SerializeToString())
    with pytest.raises(AxirError) as raised:
        import_model(str(path), make_context())
    assert raised.value.render() == (
        "net.onnx:1:0: error: [stem] Conv: strides must be two positive numbers, not [0, 0]"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"not a model at all", "not an ONNX model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not an ONNX model"),
        (b"PK\x03\x04" + bytes(range(200)), "not an ONNX model"),
        (single("Conv", X, W).SerializeToString()[:300], "truncated or damaged"),
        (b"\x08\x08", "the model has no graph"),
    ],
)
def test_not_a_model(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(AxirError, match=message) as raised:
        import_model(path, make_context())
    assert raised.value.location == "net.onnx"


def test_missing_file(tmp_path: Path) -> None:
    error: BaseException | None = None
    try:
        import_model(tmp_path / "absent.onnx", make_context())
    except (AxirError, OSError) as caught:
        error = to_axir_error(caught)
    assert error is not None
    assert "No such file" in str(error)
    with pytest.raises(AxirError):
        import_model(tmp_path, make_context())


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"z": (1, 3)}, "the model has no input 'z'"),
        ({"x": (1, 3, 8)}, "has 4 dimensions, --input-shape x=1,3,8 has 3"),
        ({"x": (1, 4, 8, 8)}, "dimension 1 of input 'x' is 3 in the model, 4 in --input-shape x=1,4,8,8"),
        ({"x": (1, 3, 0, 8)}, "dimension 2 of input 'x' is 0"),
    ],
)
def test_input_shape_that_does_not_fit(shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(AxirError, match=message):
        imported(single("Relu", {"x": ("N", 3, None, None)}), shapes)


class TestExternalData:
    def write(self, folder: Path, location: str = "net.data", data: bytes | None = None) -> Path:
        model = with_external_data(location)
        if data is not None:
            (folder / "net.data").write_bytes(data)
        path = folder / "net.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    def test_it_is_read(self, tmp_path: Path) -> None:
        graph, ctx = imported(str(self.write(tmp_path, data=W["w"].tobytes())))
        (key,) = ctx.store.keys()
        np.testing.assert_array_equal(ctx.store.get(key), W["w"])
        assert graph.outputs.data[0].data == "y"

    @pytest.mark.parametrize(
        ("location", "data", "message"),
        [
            ("net.data", None, "'net.data', which is missing"),
            ("net.data", b"short", "its 432 bytes at offset 0 are not in 'net.data'"),
            ("../net.data", b"", "outside of the model's folder"),
            ("a\0b", b"", "null byte"),
            ("n" * 5000, b"", "File name too long"),
        ],
    )
    def test_it_cannot_be_read(self, location: str, data: bytes | None, message: str, tmp_path: Path) -> None:
        with pytest.raises(AxirError, match=message) as raised:
            import_model(self.write(tmp_path, location, data), make_context())
        assert raised.value.node == "node"
        assert "initializer 'w'" in raised.value.message

    def test_a_model_without_path_has_no_folder(self) -> None:
        with pytest.raises(AxirError, match="import from a path"):
            imported(with_external_data("net.data"))


def _small_model() -> bytes:
    nodes = [
        node("Conv", ["x", "w", "b"], "c", "conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Clip", ["c", "low", "high"], "d", "clip"),
        node("Shape", ["d"], "s"),
        node("Gather", ["s", "zero"], "n"),
        node("Unsqueeze", ["n", "axes"], "m"),
        node("Concat", ["m", "rest"], "t", axis=0),
        node("Reshape", ["d", "t"], "e"),
        node("MatMul", ["e", "v"], "f", "dense"),
        node("Softmax", ["f"], "y", "softmax", axis=-1),
    ]
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.standard_normal((4, 3, 3, 3)).astype(np.float32), "b": np.zeros(4, np.float32),
        "v": rng.standard_normal((64, 2)).astype(np.float32), "low": np.float32(0), "high": np.float32(6),
        "zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1]),
    }  # fmt: skip
    return make_model(nodes, X, ["y"], constants).SerializeToString()


def _mutated(seed: int, original: bytes) -> bytes:
    rng = np.random.default_rng(seed)
    if seed % 4 == 0:
        return original[: int(rng.integers(len(original)))]
    data = bytearray(original)
    # The weights are most of the file: aim at the rest.
    interesting = [i for i in range(len(data)) if i < 600 or i > len(data) - 400]
    for _ in range(int(rng.integers(1, 5))):
        data[int(rng.choice(interesting))] = int(rng.integers(256))
    return bytes(data)


@pytest.mark.parametrize("block", range(10))
def test_damaged_files_give_errors_only(block: int, tmp_path: Path) -> None:
    original = _small_model()
    imported(onnx.load_from_string(original))
    path = tmp_path / "net.onnx"
    for seed in range(block * 20, block * 20 + 20):
        path.write_bytes(_mutated(seed, original))
        try:
            imported(str(path))
        except AxirError as error:
            assert error.message  # noqa: PT017  success is as good: only other exceptions fail


def test_a_tensor_with_external_data_beside_raw_data_is_read_from_the_file(tmp_path: Path) -> None:
    model = with_external_data("net.data")
    model.graph.initializer[0].raw_data = numpy_helper.from_array(NAN).raw_data
    (tmp_path / "net.data").write_bytes(W["w"].tobytes())
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    imported(str(tmp_path / "net.onnx"))
