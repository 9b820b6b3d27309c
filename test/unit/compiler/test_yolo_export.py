"""Export of .pt weights through `ultralytics`, played by a module of ours."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import onnx
import pytest
from small_networks import sound

from axir.compiler.yolo_export import exported_model
from axir.ir.diagnostics import AxirError

Calls = list[dict[str, Any]]


def install(monkeypatch: pytest.MonkeyPatch, fails: Exception | None = None, writes: bool = True) -> Calls:
    """A library like ultralytics: it writes the model beside the weights and returns its path as a string."""
    calls: Calls = []

    class YOLO:
        def __init__(self, weights: str):
            self.weights = Path(weights)
            assert self.weights.read_bytes() == b"trained"

        def export(self, **arguments: Any) -> str:
            calls.append(arguments | {"weights": self.weights})
            if fails is not None:
                raise fails
            made = self.weights.with_suffix(".onnx")
            network = sound()
            network.metadata_props.add(key="date", value=str(len(calls)))
            network.metadata_props.add(key="author", value="Ultralytics")
            if writes:
                onnx.save_model(network, str(made))
            return str(made)

    library = types.ModuleType("ultralytics")
    vars(library)["YOLO"] = YOLO
    monkeypatch.setitem(sys.modules, "ultralytics", library)
    return calls


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "yolo11n.pt"
    file.write_bytes(b"trained")
    return file


def test_exports_into_a_folder_of_its_own(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(monkeypatch)
    found: list[bytes] = []
    for _ in range(2):
        with exported_model(weights, 17, (1, 3, 320, 640)) as made:
            assert made.name == "yolo11n.onnx"
            found.append(made.read_bytes())
            properties = {entry.key: entry.value for entry in onnx.load(str(made)).metadata_props}
            assert properties == {"author": "Ultralytics"}
        assert not made.exists()
    assert found[0] == found[1]
    assert [file.name for file in weights.parent.iterdir()] == ["yolo11n.pt"]
    assert calls[0]["weights"].parent != weights.parent
    assert {key: calls[0][key] for key in ("format", "opset", "imgsz")} == {
        "format": "onnx", "opset": 17, "imgsz": [320, 640],
    }  # fmt: skip


def test_without_a_shape_the_size_is_the_networks_own(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = install(monkeypatch)
    with exported_model(weights, 18):
        pass
    assert "imgsz" not in calls[0]
    assert calls[0]["opset"] == 18


def test_what_the_library_cannot_export(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fails=RuntimeError("no such layer\nand more"))
    with pytest.raises(AxirError) as error, exported_model(weights, 17):
        pass
    assert error.value.render() == (
        f"{weights}: error: ultralytics cannot export these weights: RuntimeError: no such layer"
    )
    install(monkeypatch, writes=False)
    with pytest.raises(AxirError, match=r"wrote no model: expected yolo11n\.onnx"), exported_model(weights, 17):
        pass


def test_without_the_library(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(AxirError) as error, exported_model(weights, 17):
        pass
    assert error.value.render() == (
        f"{weights}: error: a .pt file needs the package ultralytics\n"
        "note: pip install ultralytics, or export to ONNX elsewhere and give the .onnx file"
    )
