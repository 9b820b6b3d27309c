"""Cards of several models: checked before anything is compiled, linked into one device image, run side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray
from small_networks import SIZE, save, sound

from axir.backends.aipu.device_image import read_device_image
from axir.ir.diagnostics import AxirError
from axir.runtime import InvalidArgument, load, load_cascade
from axir.target.description import load as load_target
from axir.tools.axc import main as axc
from axir.tools.axdevice import main as axdevice
from axir.tools.axrunmodel import main as axrunmodel

MODEL = (
    "  {name}: {{class: AxONNXModel, weight_path: net.onnx, extra_kwargs: {{compilation_config: {{{settings}}}}}}}\n"
)
BATCH = "aipu_cores_used: 3, resources_used: 0.75"
QUARTER = "resources_used: 0.25"


def card_of(folder: Path, **models: str) -> Path:
    save(sound(), folder / "net.onnx")
    card = folder / "card.yaml"
    card.write_text("models:\n" + "".join(MODEL.format(name=n, settings=s) for n, s in models.items()))
    return card


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cascade")
    card = card_of(folder, detector=BATCH, classifier=QUARTER)
    assert axc([str(card), "-o", str(folder / "out"), "--check", "2"]) == 0
    return folder / "out"


def image(seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).standard_normal((1, 3, SIZE, SIZE)).astype(np.float32)


def test_models_are_linked_into_one_device_image(linked: Path) -> None:
    assert sorted(path.name for path in linked.iterdir()) == ["classifier", "detector", "device.axm", "device.json"]
    described = json.loads((linked / "device.json").read_text())
    assert [(m["name"], m["cores"]) for m in described["models"]] == [("detector", [0, 1, 2]), ("classifier", [3])]
    spans = sorted(
        (entry["memory"], entry["start"], entry["end"]) for model in described["models"] for entry in model["memory"]
    )
    for one, other in pairwise(spans):
        assert one[0] != other[0] or one[2] <= other[1]
    with (linked / "device.axm").open("rb") as file:
        names = [section.name for section in ELFFile(file).iter_sections()]
    assert {".axir.device", ".axir.program.0", ".axir.program.1"} <= set(names)
    programs = read_device_image(linked / "device.axm", load_target(None))
    assert [(p.model, p.region.first_core) for p in programs] == [("detector", 0), ("classifier", 3)]
    assert programs[1].data == (linked / "classifier" / "compiled_model" / "model.axm").read_bytes()


def test_equal_cards_give_equal_bytes(linked: Path, tmp_path: Path) -> None:
    assert axc([str(linked.parent / "card.yaml"), "-o", str(tmp_path / "again"), "--check", "2"]) == 0
    for name in ("device.axm", "device.json"):
        assert (tmp_path / "again" / name).read_bytes() == (linked / name).read_bytes()


def test_one_models_outputs_feed_another(linked: Path) -> None:
    alone = {name: load(linked / name) for name in ("detector", "classifier")}
    images = [image(seed) for seed in range(7)]

    def pick(found: NDArray[Any]) -> NDArray[Any]:
        """What an application makes of one model's output for the other."""
        return np.ascontiguousarray(found[:, 1:4] * 3)

    def expected(frame: NDArray[Any]) -> NDArray[Any]:
        batch = np.concatenate([frame] * 3)
        return alone["classifier"](pick(alone["detector"](batch)[0][:1]))[0]

    with load_cascade(linked) as cascade:
        assert list(cascade) == ["detector", "classifier"]
        found = cascade.stream("detector", images)
        crops: Iterator[NDArray[Any]] = (pick(result) for (result,) in found)
        labels = [label for (label,) in cascade.stream("classifier", crops)]
        assert len(labels) == len(images)
        for frame, label in zip(images, labels, strict=True):
            assert np.array_equal(label, expected(frame))
        with pytest.raises(InvalidArgument, match="the device has no model 'tracker'"):
            cascade.stream("tracker", images)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"a": BATCH, "b": BATCH}, "they ask for 6 cores of 4 and 1.5 of the memory"),
        ({"a": QUARTER, "b": "resources_used: 1.0"}, "they ask for 1.25 of the memory"),
        ({"a": "aipu_cores_used: 4", "b": QUARTER}, "they ask for 5 cores of 4 and 1.25 of the memory"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_before_anything_is_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: dict[str, str], message: str
) -> None:
    card = card_of(tmp_path, **models)
    assert axc([str(card), "-o", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"{card}:2:3: error: ")
    assert message in printed
    assert "note: a: aipu_cores_used" in printed
    assert "--no-cascade" in printed
    assert not (tmp_path / "out").exists()


def test_without_a_cascade_each_is_for_itself(tmp_path: Path) -> None:
    card = card_of(tmp_path, a=BATCH, b="resources_used: 1.0")
    assert axc([str(card), "-o", str(tmp_path / "out"), "--no-cascade"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b"]


def test_a_model_that_has_changed_is_not_loaded(linked: Path, tmp_path: Path) -> None:
    card = card_of(tmp_path, detector=BATCH, classifier=QUARTER)
    out = tmp_path / "out"
    assert axc([str(card), "-o", str(out)]) == 0
    other = [str(card), "-o", str(out / "classifier"), "--model", "classifier", "--set", "enable_icr=false"]
    assert axc(other) == 0
    with pytest.raises(AxirError, match="the model 'classifier' is not the one that was linked"):
        load_cascade(out)
    (out / "device.axm").write_bytes((linked / "device.axm").read_bytes()[:-5])
    with pytest.raises(AxirError, match="not a whole device image"):
        load_cascade(out)
    (out / "device.json").write_text("{}")
    with pytest.raises(AxirError, match="not a device description"):
        load_cascade(out)


def test_axdevice(linked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert axdevice([]) == 0
    assert "metis-model:0: 4 cores, a device model in software (no chip), 800 MHz" in capsys.readouterr().out
    assert axdevice([str(linked / "device.axm"), "--json"]) == 0
    (device,) = json.loads(capsys.readouterr().out)
    assert device["cores_in_use"] == {"0": "detector", "1": "detector", "2": "detector", "3": "classifier"}
    assert {entry["owner"] for entry in device["memory_map"]} == {"system", "detector", "classifier"}
    assert axdevice([f"{linked / 'classifier'}:2"]) == 0
    assert "0 classifier.0, 1 classifier.1, 2 free, 3 free" in capsys.readouterr().out
    assert axdevice([f"{linked / 'classifier'}:5"]) == 1
    assert "1 cores asked for; 0 of the 4 cores" in capsys.readouterr().err
    assert axdevice([f"{linked / 'classifier'}:0"]) == 1
    assert axdevice([str(linked / "nothing")]) == 1


def test_axrunmodel_on_several_cores(linked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classifier, detector = str(linked / "classifier"), str(linked / "detector")
    assert axrunmodel([classifier, "--aipu-cores", "2", "--frames", "5", "--show-bar-chart", "--show-histogram"]) == 0
    printed = capsys.readouterr().out
    assert "ran 5 frames on metis-model:0" in printed
    assert "with 2 instances" in printed
    assert all(text in printed for text in ("busy units of one instance", "what all instances share", " ms  █"))
    assert axrunmodel([classifier, "--seconds", "1e-3", "--throttle-fps", "100", "--devices", "metis-model:0"]) == 0
    printed = capsys.readouterr().out
    assert "system 100 with at most 100 frames a second" in printed
    assert axrunmodel([detector, "--frames", "4"]) == 0
    assert "cycles on 3 cores, a frame each" in capsys.readouterr().out
    for wrong, message in (
        (["--aipu-cores", "9"], "metis-model:0 has 4 cores"),
        (["--devices", "metis:7"], "no device 'metis:7'"),
        (["--seconds", "0"], "--seconds must be more than 0"),
        (["--throttle-fps", "-1"], "--throttle-fps must be more than 0"),
    ):
        assert axrunmodel([classifier, *wrong]) == 1
        assert message in capsys.readouterr().err
    assert axrunmodel([detector, "--aipu-cores", "2"]) == 1
    assert "give a multiple of 3" in capsys.readouterr().err
