"""`ax-translate`: every direction, and what it says when something is wrong."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from unit.backend import programs

from axir.backends.aipu.image import build_image
from axir.ir.context import make_context
from axir.ir.parsing import parse_module
from axir.target.description import load
from axir.tools.ax_translate import main

GRAPH = """
axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : -128>> "image") -> ("out") {
  %y = axq.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x2x2x!axq.q<0.5 : -128>>
  axq.return %y : tensor<1x2x2x2x!axq.q<0.5 : -128>>
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.mlir"
    file.write_text(programs.text())
    return file


@pytest.fixture
def image(program: Path) -> bytes:
    ctx = make_context()
    return build_image(parse_module(ctx, program.read_text(), "p"), ctx.store, load())


def network(path: Path, channels: int | str = 3) -> Path:
    weight = numpy_helper.from_array(np.ones((40, 3, 1, 1), np.float32), "w")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"], "conv")], "net", [x], [y], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_text_to_image(program: Path, image: bytes, tmp_path: Path):
    output = tmp_path / "model.axm"
    assert main(["--mlir-to-image", str(program), "-o", str(output)]) == 0
    assert output.read_bytes() == image


def test_image_to_text_and_back(image: bytes, tmp_path: Path):
    (tmp_path / "model.axm").write_bytes(image)
    text = tmp_path / "again.mlir"
    assert main(["--image-to-mlir", str(tmp_path / "model.axm"), "-o", str(text)]) == 0
    # The constant is beside the text.
    assert (tmp_path / "again.safetensors").is_file()
    assert main(["--mlir-to-image", str(text), "-o", str(tmp_path / "again.axm")]) == 0
    assert (tmp_path / "again.axm").read_bytes() == image


def test_weights_from_elsewhere(image: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.axm").write_bytes(image)
    text = tmp_path / "again.mlir"
    main(["--image-to-mlir", str(tmp_path / "model.axm"), "-o", str(text)])
    weights = (tmp_path / "again.safetensors").rename(tmp_path / "elsewhere.safetensors")
    output = tmp_path / "again.axm"
    assert main(["--mlir-to-image", str(text), "-o", str(output)]) == 1
    assert "is not in the weight store" in capsys.readouterr().err
    assert not output.exists()
    assert main(["--mlir-to-image", str(text), "-o", str(output), "--weights", str(weights)]) == 0
    assert output.read_bytes() == image


def test_streams(
    program: Path, image: bytes, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
):
    monkeypatch.setattr(sys, "stdin", io.StringIO(program.read_text()))
    assert main(["--mlir-to-image"]) == 0
    assert capsysbinary.readouterr().out == image
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(image)))
    assert main(["--image-to-mlir"]) == 0
    assert b'aipu.program "main" target "metis"' in capsysbinary.readouterr().out


def test_binary_results_do_not_go_to_terminals(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["--mlir-to-image", str(program)]) == 1
    assert capsys.readouterr().err.endswith("note: give a file with -o\n")


def test_onnx_to_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = network(tmp_path / "net.onnx")
    assert main(["--onnx-to-mlir", str(model), "-o", str(tmp_path / "net.mlir")]) == 0
    assert "ax.conv" in (tmp_path / "net.mlir").read_text()
    assert (tmp_path / "net.safetensors").is_file()
    assert main(["--onnx-to-mlir", str(model)]) == 0
    assert "tensor<1x40x4x4xf32>" in capsys.readouterr().out


def test_onnx_with_an_open_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = str(network(tmp_path / "net.onnx", "C"))
    assert main(["--onnx-to-mlir", model]) == 1
    assert "is dynamic" in capsys.readouterr().err
    assert main(["--onnx-to-mlir", model, "--input-shape", "x=1,3,4,4"]) == 0
    assert main(["--onnx-to-mlir"]) == 1
    assert "not from stdin" in capsys.readouterr().err


def test_quantized_graph_to_onnx(tmp_path: Path):
    (tmp_path / "graph.mlir").write_text(GRAPH)
    output = tmp_path / "qdq.onnx"
    assert main(["--axq-to-qdq", str(tmp_path / "graph.mlir"), "-o", str(output)]) == 0
    model = onnx.load(output)
    onnx.checker.check_model(model)
    assert {"QuantizeLinear", "DequantizeLinear", "MaxPool"} <= {node.op_type for node in model.graph.node}


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--mlir-to-image", GRAPH, "expected one aipu.program, the module holds 0"),
        ("--axq-to-qdq", "builtin.module {}", "expected one axq.graph, the module holds 0"),
        ("--image-to-mlir", "text", "not a whole program image: it is not an ELF file"),
        ("--onnx-to-mlir", "text", "error: "),
        ("--mlir-to-image", "aipu.program", "error: "),
        ("--mlir-to-image", programs.text().replace(" at 640", ""), "buffer 'y' has no address"),
    ],
)
def test_errors_leave_nothing_behind(
    option: str, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source, output = tmp_path / "input", tmp_path / "output"
    source.write_text(content)
    assert main([option, str(source), "-o", str(output)]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]


def test_missing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for option in ("--mlir-to-image", "--image-to-mlir", "--onnx-to-mlir", "--axq-to-qdq"):
        assert main([option, str(tmp_path / "none")]) == 1
        assert "none" in capsys.readouterr().err


def test_targets(program: Path, image: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import axir.target.description

    shipped = Path(axir.target.description.__file__).with_name("metis.toml").read_text()
    other = tmp_path / "other.toml"
    other.write_text(shipped.replace("4_194_304", "2_097_152"))
    (tmp_path / "model.axm").write_bytes(image)
    assert main(["--image-to-mlir", str(tmp_path / "model.axm"), "--target", str(other)]) == 1
    assert "compiled for target 'metis'" in capsys.readouterr().err
    assert main(["--mlir-to-image", str(program), "--target", str(other), "-o", str(tmp_path / "other.axm")]) == 0
    assert (tmp_path / "other.axm").read_bytes() != image


def test_one_translation_must_be_chosen(capsys: pytest.CaptureFixture[str]):
    for arguments in ([], ["--mlir-to-image", "--image-to-mlir"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "--axq-to-qdq" in capsys.readouterr().err


def test_help_does_not_wait_for_the_compiler():
    code = (
        "import sys; from axir.tools.ax_translate import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print([name for name in ('xdsl', 'numpy', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
