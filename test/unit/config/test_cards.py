"""Model cards: what they say, what is wrong with them and where, and the files that they name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from axir.compiler.config import (
    CompilerConfig,
    find_config,
    read_card,
    resolve,
    settings_table,
    shipped,
    shipped_configs,
)
from axir.compiler.config.card_keys import CARD, EXTRA, MODEL
from axir.ir.diagnostics import AxirError

CARD_TEXT = """\
axelera-model-format: 1.0.0
name: demo
pipeline:
  - detections:
      model_name: my-model
      preprocess:
        - letterbox: {height: "${{input_height}}"}
        - torch-totensor:
models:
  my-model:
    class: AxONNXModel
    class_path: $AXELERA_FRAMEWORK/ax_models/base_onnx.py
    weight_path: weights/net.onnx
    weight_url: https://example.org/net.onnx
    task_category: Classification
    input_tensor_layout: NCHW
    input_tensor_shape: [1, 3, 224, 224]
    input_color_format: BGR
    num_classes: 10
    extra_kwargs:
      cal_seed: 129
      num_cal_images: 100
      timm_model_args: {name: x}
      compilation_config:
        ptq_scheme: per_tensor_min_max
        resources_used: 0.25
datasets:
  imagenet: {class: X}
"""


def card(folder: Path, text: str = CARD_TEXT) -> Path:
    file = folder / "card.yaml"
    file.write_text(text, "utf-8")
    return file


def small(extra: str = "", model: str = "", top: str = "") -> str:
    """A card with more lines, indented as they have to be, in `extra_kwargs`, the model, or at the top."""
    return f"{top}models:\n  m:\n    class: AxONNXModel\n    weight_path: m.onnx\n{indented(model, 4)}" + (
        f"    extra_kwargs:\n{indented(extra, 6)}" if extra else ""
    )


def indented(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}\n" for line in text.splitlines())


def error_of(file: Path) -> str:
    with pytest.raises(AxirError) as error:
        read_card(file)
    return error.value.render().replace(str(file), "CARD")


def test_a_card_of_the_vendors_kind(tmp_path: Path) -> None:
    file = card(tmp_path)
    read = read_card(file)
    model = read.pick()
    assert (model.name, model.class_name) == ("my-model", "AxONNXModel")
    assert model.weight_path == tmp_path / "weights" / "net.onnx"
    assert (model.input_shape, model.layout, model.color) == ((1, 3, 224, 224), "NCHW", "BGR")
    assert (model.number("cal_seed", 0), model.number("num_cal_images", 1)) == (129, 100)
    assert model.config_file is None
    config = resolve(model.layers()).config
    assert config.changed() == {
        "quantization_scheme": "per_tensor_min_max", "resources_used": 0.25, "model_name": "my-model",
    }  # fmt: skip
    assert config == CompilerConfig.from_card(file) == CompilerConfig.from_card(file, "my-model")
    assert read.unused() == ["axelera-model-format", "name", "pipeline", "datasets"]
    assert model.unused() == [
        "models.my-model.class_path",
        "models.my-model.weight_url",
        "models.my-model.task_category",
        "models.my-model.num_classes",
        "models.my-model.extra_kwargs.timm_model_args",
    ]


def test_the_older_form(tmp_path: Path) -> None:
    text = small(
        "compilation_config:\n  backend_config:\n    in_core_replication: False\n    tiling_depth: 6\n"
        "  quantization_config:\n    ptq_scheme: hybrid_per_tensor_per_channel"
    )
    assert resolve([read_card(card(tmp_path, text)).pick().inline]).config == CompilerConfig(
        enable_icr=False, tiling_depth=6, quantization_scheme="hybrid_per_tensor_per_channel"
    )


def test_nothing_but_comments_under_a_key(tmp_path: Path) -> None:
    for extra in ("compilation_config:\n  # tiling_depth: 6", "# nothing\n", "compilation_config: {}"):
        assert read_card(card(tmp_path, small(extra))).pick().inline.settings == ()
    assert read_card(card(tmp_path, small(model="extra_kwargs:"))).pick().inline.settings == ()


@pytest.mark.parametrize("level", ["top", "model", "extra"])
def test_settings_in_the_wrong_place(tmp_path: Path, level: str) -> None:
    """Every setting, by every name, and the keys that hold settings."""
    names = [(name, *entry.info.aliases, *entry.info.formerly) for name, entry in settings_table().items()]
    groups = ("compilation_config", "compiler_config_file", "quantization_config", "backend_config")
    for key in [key for keys in names for key in keys] + list(groups):
        if level == "extra" and key in ("compilation_config", "compiler_config_file", "aipu_cores"):
            continue
        message = error_of(card(tmp_path, small(**{level: f"{key}: 1\n"})))
        line, column = {"top": (1, 1), "model": (5, 5), "extra": (6, 7)}[level]
        what = "key" if key in groups else "compiler setting"
        here = {
            "top": "at the top of the card",
            "model": "directly in models.m",
            "extra": "directly in models.m.extra_kwargs",
        }[level]
        model = "MODEL" if level == "top" else "m"
        where = f"models.{model}.extra_kwargs" + (".compilation_config" if key not in groups[:2] else "")
        assert message == (
            f"CARD:{line}:{column}: error: the {what} '{key}' stands {here}\nnote: it belongs in {where}"
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            small(top="weight_path: x\n"),
            "CARD:1:1: error: the key 'weight_path' stands at the top of the card",
        ),
        (small("weight_path: x"), "CARD:6:7: error: the key 'weight_path' stands directly in models.m.extra_kwargs"),
        (
            small(model="cal_seed: 1"),
            "CARD:5:5: error: the key 'cal_seed' stands directly in models.m\nnote: it belongs",
        ),
        (small("compilation_config: {class: X}"), "CARD:6:28: error: the key 'class' stands directly in models.m."),
        (
            small(model="models: {}"),
            "CARD:5:5: error: the key 'models' stands directly in models.m\nnote: it belongs at the top of the card",
        ),
        (small(top="modells: 1\n"), "CARD:1:1: error: there is no key 'modells'\nnote: did you mean 'models'?"),
        (
            small(model="weight_pth: x"),
            "CARD:5:5: error: there is no key 'weight_pth'\nnote: did you mean 'weight_path'?",
        ),
        (
            small(model="ressources_used: 1"),
            "CARD:5:5: error: there is no key 'ressources_used'\n"
            "note: did you mean 'resources_used', in models.m.extra_kwargs.compilation_config?",
        ),
        (
            small("compilation_configs: {}"),
            "CARD:6:7: error: there is no key 'compilation_configs'\nnote: did you mean 'compilation_config'?",
        ),
        (
            small(model="compiler_config_files: x"),
            "CARD:5:5: error: there is no key 'compiler_config_files'\n"
            "note: did you mean 'compiler_config_file', in models.m.extra_kwargs?",
        ),
        (
            small("compilation_config:\n  resources_used: 0.3"),
            "CARD:7:25: error: resources_used is 0.3; it must be a number, a multiple of 0.25, > 0, <= 1",
        ),
        (
            small("compilation_config:\n  qantization_scheme: x"),
            "CARD:7:9: error: there is no setting 'qantization_scheme'\nnote: did you mean 'quantization_scheme'?",
        ),
        (
            small("compilation_config: []"),
            "CARD:6:27: error: models.m.extra_kwargs.compilation_config is a list; it must",
        ),
        (small("compilation_config: x.toml"), "CARD:6:27: error: models.m.extra_kwargs.compilation_config is 'x.toml'"),
        (small(model="extra_kwargs: 1"), "CARD:5:19: error: models.m.extra_kwargs is 1; it must be a mapping"),
        ("models: [a]\n", "CARD:1:9: error: models is a list; it must be a mapping"),
        ("models:\n  m: 1\n", "CARD:2:6: error: models.m is 1; it must be a mapping"),
        ("models:\n  m:\n", "CARD:2:5: error: models.m is empty; it must be a mapping"),
        ("models: {}\n", "CARD:1:9: error: the card has no models"),
        ("name: x\n", "CARD: error: the card has no 'models'"),
        ("- a\n", "CARD:1:1: error: the card is a list; it must be a mapping"),
        ("models:\n  m: {class: A}\n  m: {class: A}\n", "CARD:3:3: error: the key 'm' is given twice"),
        ("models:\n  a/b: {class: A}\n", "CARD:2:3: error: a model cannot be called 'a/b'"),
        ("models:\n  ..: {class: A}\n", "CARD:2:3: error: a model cannot be called '..'"),
        (
            small(model="input_tensor_shape: 224"),
            "CARD:5:25: error: input_tensor_shape is 224; it must be a list of sizes",
        ),
        (small(model="input_tensor_shape: [1, x]"), "CARD:5:25: error: input_tensor_shape is [1, 'x']"),
        (
            small(model="input_tensor_layout: NWHC"),
            "CARD:5:26: error: input_tensor_layout is 'NWHC'; it must be one of NCHW",
        ),
        (small(model="input_color_format: 3"), "CARD:5:25: error: input_color_format is 3; it must be one of RGB, BGR"),
        (small("num_cal_images: 0"), "CARD:6:23: error: num_cal_images is 0; it must be a whole number, >= 1"),
        (small("cal_seed: true"), "CARD:6:17: error: cal_seed is True; it must be a whole number, >= 0"),
    ],
)
def test_wrong_cards(tmp_path: Path, text: str, message: str) -> None:
    assert error_of(card(tmp_path, text)).startswith(message)


def test_the_keys_of_cards_are_accepted_and_others_listed(tmp_path: Path) -> None:
    top = "".join(f"{key}: x\n" for key in CARD.others)
    model = "".join(f"{key}: x\n" for key in MODEL.others) + "quite_different: 1\n"
    extra = "".join(f"{key}: 1\n" for key in EXTRA.others)
    read = read_card(card(tmp_path, small(extra, model, top)))
    assert read.unused() == list(CARD.others)
    assert read.pick().unused() == [
        *(f"models.m.{key}" for key in (*MODEL.others, "quite_different")),
        *(f"models.m.extra_kwargs.{key}" for key in EXTRA.others),
    ]


def test_deployment_keys_that_sound_like_settings_warn(tmp_path: Path) -> None:
    file = card(tmp_path, small("aipu_cores: 2\nclock_profile: 400"))
    assert list(read_card(file).pick().warnings()) == [
        f"{file}:6:7: aipu_cores is for deployment and not used; the compiler's setting is aipu_cores_used, in "
        "compilation_config",
        f"{file}:7:7: clock_profile is for deployment and not used; the compiler's setting is frequency, in "
        "compilation_config",
    ]


def test_several_models(tmp_path: Path) -> None:
    file = card(tmp_path, "models:\n  first: {class: Axxx}\n  second: {class: AxONNXModel, weight_path: ~/s.onnx}\n")
    read = read_card(file)
    assert list(read.models) == ["first", "second"]
    assert read.pick("second").weight_path == Path("~/s.onnx").expanduser()
    with pytest.raises(AxirError, match="the card has several models") as error:
        read.pick()
    assert error.value.notes == ("they are: first, second",)
    with pytest.raises(AxirError, match="no model 'secnd'") as error:
        read.pick("secnd")
    assert error.value.notes == ("did you mean 'second'?",)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("class: AxTimmModel\n    weight_path: m.onnx", "CARD:3:12: error: the class 'AxTimmModel' is not supported"),
        ("class: AxOnnxModel\n    weight_path: m.onnx", "did you mean AxONNXModel?"),
        ("class: AxTimmModel\n    weight_path: m.onnx", "supported are AxONNXModel and AxUltralyticsYOLO; export"),
        ("weight_path: m.onnx", "CARD:2:3: error: the model 'm' has no 'class'"),
        ("class: AxONNXModel", "CARD:2:3: error: the model 'm' has no 'weight_path'"),
        ("class: AxONNXModel\n    weight_path: 1", "CARD:4:18: error: weight_path is 1; it must be a string"),
        ("class: AxONNXModel\n    weight_path: gone.onnx", "CARD:4:18: error: there is no file FOLDER/gone.onnx"),
        ("class: AxONNXModel\n    weight_path: gone.onnx\n    weight_url: https://x", "weight_url is https://x"),
        (
            "class: AxONNXModel\n    weight_path: $AXIR_NO/m.onnx",
            "CARD:4:18: error: weight_path is '$AXIR_NO/m.onnx': an",
        ),
        ("class: AxONNXModel\n    weight_path: m.pt", "CARD:4:18: error: the class AxONNXModel cannot read m.pt"),
        ("class: AxUltralyticsYOLO\n    weight_path: m.pth", "the class AxUltralyticsYOLO cannot read m.pth"),
    ],
)
def test_weights(tmp_path: Path, model: str, message: str) -> None:
    for name in ("m.onnx", "m.pt", "m.pth"):
        (tmp_path / name).touch()
    file = card(tmp_path, f"models:\n  m:\n    {model}\n")
    picked = read_card(file).pick()
    with pytest.raises(AxirError) as error:
        picked.check()
    rendered = error.value.render().replace(str(file), "CARD").replace(str(tmp_path), "FOLDER")
    assert message in rendered


def test_environment_variables_in_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AXIR_WEIGHTS", str(tmp_path / "w"))
    file = card(tmp_path, "models:\n  m: {class: AxONNXModel, weight_path: $AXIR_WEIGHTS/m.onnx}\n")
    assert read_card(file).pick().weight_path == tmp_path / "w" / "m.onnx"


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped configs that do not depend on those of this version."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("yolov8n", "yolov8s", "yolo11n", "resnet50"):
        (folder / f"{name}.toml").write_text(f"# {name}: tuned\ntiling_depth = 3\n")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def test_a_bare_name_is_beside_the_card_and_then_shipped(tmp_path: Path, configs: Path) -> None:
    file = card(tmp_path / "shipped", small("compiler_config_file: resnet50.toml"))
    file = file.rename(tmp_path / "card.yaml")
    assert read_card(file).pick().config_file == configs / "resnet50.toml"
    own = tmp_path / "resnet50.toml"
    own.write_text("tiling_depth = 5\n")
    assert read_card(file).pick().config_file == own
    assert CompilerConfig.from_card(file).tiling_depth == 5


def test_relative_and_absolute_names(tmp_path: Path, configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    inner = tmp_path / "sub" / "my.toml"
    inner.touch()
    monkeypatch.chdir(configs)  # the working directory is no place to look for what a card names
    (configs / "here.toml").touch()
    for name, found in (
        ("sub/my.toml", inner),
        (str(inner), inner),
        ("shipped/yolov8n.toml", configs / "yolov8n.toml"),
    ):
        file = card(tmp_path, small(f"compiler_config_file: {name}"))
        assert read_card(file).pick().config_file == found
    for name in ("./yolov8n.toml", "sub/yolov8n.toml", str(tmp_path / "yolov8n.toml"), "../resnet50.toml"):
        file = card(tmp_path, small(f"compiler_config_file: {name}"))
        with pytest.raises(AxirError) as error:
            _ = read_card(file).pick().config_file
        assert error.value.location == f"{file}:6:29"
        assert error.value.notes[0] == f"tried {tmp_path / name}"
        assert len([note for note in error.value.notes if note.startswith("tried")]) == 1


def test_a_config_that_is_not_there(tmp_path: Path, configs: Path) -> None:
    file = card(tmp_path, small("compiler_config_file: YOLO-v8-n.toml"))
    with pytest.raises(AxirError) as error:
        _ = read_card(file).pick().config_file
    assert error.value.render() == (
        f"{file}:6:29: error: there is no config file 'YOLO-v8-n.toml'\n"
        f"note: tried {tmp_path / 'YOLO-v8-n.toml'}\n"
        f"note: tried {configs / 'YOLO-v8-n.toml'}\n"
        "note: shipped configs with a similar name: yolo11n.toml, yolov8n.toml, yolov8s.toml"
    )
    with pytest.raises(AxirError, match="axc --list-configs"):
        find_config("zebra.toml", file)
    with pytest.raises(AxirError, match=r"similar name: resnet50\.toml"):
        find_config("resnet.toml")


def test_python_takes_the_shipped_config_that_the_command_line_would(tmp_path: Path, configs: Path) -> None:
    (configs / "resnet50.toml").write_text("tiling_depth = 3\n")
    file = card(tmp_path, small("compilation_config: {model_name: resnet50}"))
    assert CompilerConfig.from_card(file) == CompilerConfig(model_name="resnet50", tiling_depth=3)


def test_errors_in_the_config_file_are_located_there(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("tiling_depth = 0\n")
    file = card(tmp_path, small("compiler_config_file: c.toml"))
    with pytest.raises(AxirError, match=re.escape(f"{tmp_path / 'c.toml'}:1:16: error: tiling_depth is 0")):
        CompilerConfig.from_card(file)


def test_shipped_configs_are_found_as_documented() -> None:
    code = (
        "import axir.compiler.config as c; from pathlib import Path; "
        "[print(f.name) for f in (Path(c.__file__).parent / 'models').glob('*.toml')]"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert sorted(printed.split()) == [file.name for file in shipped_configs()]


@pytest.mark.parametrize("file", shipped_configs(), ids=lambda file: file.stem)
def test_shipped_configs_are_sound(file: Path) -> None:
    CompilerConfig.from_toml(file)
    assert shipped.first_comment(file)


def test_a_shipped_config_goes_by_its_name_too(tmp_path: Path) -> None:
    assert find_config("mobilenetv2", tmp_path / "card.yaml") == find_config("mobilenetv2.toml", tmp_path / "card.yaml")
