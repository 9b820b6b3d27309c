"""PyTorch modules: exported with the opset that is set, by PyTorch where there is one, by a stand-in here."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import version_converter
from small_networks import SIZE, sound

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.torch_export import is_torch_module
from axir.ir.diagnostics import AxirError
from axir.runtime import load


class Module:
    """What AXIR knows of a torch.nn.Module."""

    training = True

    def __init__(self) -> None:
        self.exported_in_training: bool | None = None

    def modules(self) -> Iterator[Module]:
        yield self

    def eval(self) -> None:
        self.training = False

    def forward(self, x: Any) -> Any:
        raise NotImplementedError


Module.__module__ = "torch.nn.modules.module"


class Network(Module):
    pass


Tensors = list[dict[str, Any]]


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Tensors:
    """A PyTorch whose exporter writes one network, whatever the module; the list tells how it was called."""
    calls: Tensors = []

    def export(
        model: Network, args: tuple[Any, ...], f: Any, *, opset_version: int, input_names: list[str],
        output_names: list[str], dynamo: bool = True,
    ) -> None:  # fmt: skip
        if args[0].shape[1] != 3:
            raise RuntimeError("expected 3 channels\nand more")
        calls.append({"shape": args[0].shape, "names": input_names, "dynamo": dynamo, "training": model.training})
        converted = version_converter.convert_version(sound(), opset_version if opset_version < 22 else 17)
        f.write(converted.SerializeToString())

    fake = ModuleType("torch")
    fake.__dict__.update(onnx=ModuleType("torch.onnx"), from_numpy=lambda array: array)
    fake.__dict__["onnx"].__dict__["export"] = export
    monkeypatch.setitem(sys.modules, "torch", fake)
    return calls


def images(count: int = 2) -> Any:
    return np.random.default_rng(0).standard_normal((count, 3, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("opset", [17, 19])
def test_onnx_opset_version_is_what_a_module_is_exported_with(opset: int, torch: Tensors, tmp_path: Path) -> None:
    module = Network()
    config = CompilerConfig(onnx_opset_version=opset)
    compile(module, config, tmp_path / "out", calibration_dataset=images(), check=1)
    assert torch == [{"shape": (1, 3, SIZE, SIZE), "names": ["x"], "dynamo": False, "training": False}]
    assert module.training  # as it was
    kept = onnx.load(str(tmp_path / "out" / "input_model" / "fp32_model.onnx"))
    assert [entry.version for entry in kept.opset_import] == [opset]
    assert kept.graph.name == "Network"
    assert load(tmp_path / "out")(images()[0])[0].shape == (1, 8, SIZE, SIZE)


def test_onnx_opset_version_where_only_shapes_are_known(torch: Tensors) -> None:
    quantize(Network(), input_shapes={"x": (1, 3, SIZE, SIZE)})
    assert torch[0]["shape"] == (1, 3, SIZE, SIZE)


def test_a_generator_is_still_read_from_its_first_item(torch: Tensors) -> None:
    seen: list[int] = []

    def transform(index: int) -> Any:
        seen.append(index)
        return images()[index]

    quantize(Network(), (index for index in range(2)), None, transform)
    assert seen == [0, 0, 1]  # once for the shape
    assert torch[0]["shape"] == (1, 3, SIZE, SIZE)


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({}, {}, "the shapes of the inputs of the module Network are not known"),
        ({}, {"input_shapes": {"y": (1, 3, 6, 6)}}, "the module Network takes x; given are y"),
        (
            {},
            {"input_shapes": {"x": (1, 4, 6, 6)}},
            "cannot export the module Network to ONNX opset 17: RuntimeError: ",
        ),
        ({"onnx_opset_version": 22}, {"input_shapes": {"x": (1, 3, 6, 6)}}, "Network in opset \\[17\\], not 22"),
    ],
)
def test_onnx_opset_version_that_cannot_be_had(
    settings: dict[str, Any], options: dict[str, Any], message: str, torch: Tensors
) -> None:
    module = Network()
    with pytest.raises(AxirError, match=message) as error:
        quantize(module, config=CompilerConfig(**settings), **options)
    assert "and more" not in error.value.render()
    assert module.training


def test_forward_must_name_its_inputs(torch: Tensors) -> None:
    class Anything(Network):
        def forward(self, *args: Any) -> Any:
            return args

    with pytest.raises(AxirError, match=r"its forward takes \*args"):
        quantize(Anything(), [images()[0]])


@pytest.mark.parametrize("model", [None, 3, [sound()], Path])
def test_other_objects_are_no_models(model: Any) -> None:
    with pytest.raises(AxirError, match="cannot compile a ") as error:
        quantize(model)
    assert "torch.nn.Module" in error.value.render()


def test_onnx_opset_version_with_pytorch(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is no dependency")
    torch.manual_seed(0)
    part = torch.nn
    module = part.Sequential(
        part.Conv2d(3, 8, 3, padding=1), part.BatchNorm2d(8), part.SiLU(), part.Conv2d(8, 8, 3), part.ReLU(),
        part.AdaptiveAvgPool2d(1), part.Flatten(), part.Linear(8, 10),
    )  # fmt: skip
    module[0].eval()
    modes = [inner.training for inner in module.modules()]
    assert is_torch_module(module)
    (name,) = inspect.signature(module.forward).parameters
    for opset in (17, 20):
        folder = tmp_path / str(opset)
        config = CompilerConfig(onnx_opset_version=opset)
        compile(module, config, folder, calibration_dataset=[torch.from_numpy(i) for i in images(4)], check=1)
        assert [inner.training for inner in module.modules()] == modes
        file = folder / "input_model" / "fp32_model.onnx"
        assert [entry.version for entry in onnx.load(str(file)).opset_import] == [opset]
        session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (expected,) = session.run(["output"], {name: images()[:1]})
        (found,) = load(folder)(images()[0])
        assert np.abs(found - expected).max() < 0.02
