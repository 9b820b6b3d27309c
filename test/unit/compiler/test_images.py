"""Image folders and transforms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from axir.compiler.images import ImageSet, choose_files
from axir.compiler.transforms import Color, ImageInput, Layout, load_transform
from axir.ir.diagnostics import AxirError


def write_image(path: Path, size: tuple[int, int] = (8, 6), value: tuple[int, int, int] = (10, 20, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, value).save(path)


def load(folder: Path, transform: str, shape: tuple[int, ...], layout: Layout = "NCHW", color: Color = "rgb") -> Any:
    target = ImageInput(shape, layout, color)
    return next(iter(ImageSet(choose_files(folder, 10, 0), color, load_transform(transform, target))))


def test_files_are_chosen_by_seed_and_ordered_by_path(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.png", "c.jpg", "d.JPG"):
        write_image(tmp_path / name)
    (tmp_path / "labels.tsv").write_text("x")
    names = [str(file.relative_to(tmp_path)) for file in choose_files(tmp_path, 10, 0)]
    assert names == ["a/1.png", "b/2.png", "c.jpg", "d.JPG"]
    chosen = choose_files(tmp_path, 2, 5)
    assert chosen == choose_files(tmp_path, 2, 5) == tuple(sorted(chosen))
    assert len({choose_files(tmp_path, 2, seed) for seed in range(10)}) > 1


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("x")
    with pytest.raises(AxirError, match="no images in this folder"):
        choose_files(tmp_path, 10, 0)
    with pytest.raises(FileNotFoundError):
        choose_files(tmp_path / "absent", 10, 0)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n broken"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(AxirError) as error:
        load(tmp_path, "unit", (1, 3, 4, 4))
    assert error.value.location == str(tmp_path / "bad.png")


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "half.jpg", (64, 64))
    data = (tmp_path / "half.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(AxirError) as error:
        load(tmp_path, "unit", (1, 3, 4, 4))
    assert "half.jpg" in error.value.render()


@pytest.mark.parametrize(
    ("layout", "color", "expected"),
    [("NCHW", "rgb", [10, 20, 30]), ("NHWC", "rgb", [10, 20, 30]), ("NCHW", "bgr", [30, 20, 10])],
)
def test_raw_keeps_levels_in_the_order_asked_for(
    tmp_path: Path, layout: Layout, color: Color, expected: list[int]
) -> None:
    write_image(tmp_path / "a.png")
    array = load(tmp_path, "raw", (1, 3, 4, 5) if layout == "NCHW" else (1, 4, 5, 3), layout, color)
    pixel = array[0, :, 0, 0] if layout == "NCHW" else array[0, 0, 0]
    assert array.dtype == np.float32
    assert pixel.tolist() == expected


def test_gray_and_unit(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", value=(51, 51, 51))
    array = load(tmp_path, "unit", (1, 1, 4, 5), color="gray")
    assert array.shape == (1, 1, 4, 5)
    assert np.allclose(array, 0.2)


def test_imagenet_is_the_reference_preprocessing(tmp_path: Path) -> None:
    """Against a second statement of it: short side 256, centre 224, standardized channels."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    resized = np.asarray(Image.fromarray(pixels).resize((341, 256), Image.Resampling.BILINEAR), np.float64)
    crop = resized[16 : 16 + 224, 58 : 58 + 224] / 255
    expected = (crop - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    array = load(tmp_path, "imagenet", (1, 3, 224, 224))
    assert array.dtype == np.float32
    assert np.allclose(array[0], expected.transpose(2, 0, 1), atol=1e-5)


def test_imagenet_scales_with_the_input(tmp_path: Path) -> None:
    write_image(tmp_path / "tall.png", (100, 300))
    assert load(tmp_path, "imagenet", (1, 3, 64, 48)).shape == (1, 3, 64, 48)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (2, 3, 8, 8), (1, 8, 8, 3), (1, 10)])
def test_inputs_that_hold_no_image_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AxirError, match="takes no rgb images in layout NCHW"):
        ImageInput(shape, "NCHW", "rgb").check("x")


def test_a_function_of_the_users(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a.png")
    (tmp_path / "helper.py").write_text("SCALE = 2\n")
    script = tmp_path / "pre.py"
    script.write_text(
        "import numpy as np\nfrom helper import SCALE\n"
        "def transform(image):\n    return np.asarray(image, np.float32).transpose(2, 0, 1) * SCALE\n"
        "def other(image):\n    return image.no_such_attribute\n"
    )
    assert load(tmp_path / "images", str(script), (1, 3, 6, 8))[:, 0, 0].tolist() == [20, 40, 60]
    with pytest.raises(AxirError) as error:
        load(tmp_path / "images", f"{script}:other", (1, 3, 6, 8))
    assert error.value.location == f"{script}:6"
    assert "a.png: the transform failed: AttributeError" in error.value.message
    with pytest.raises(AxirError, match="has no function 'absent'"):
        load(tmp_path / "images", f"{script}:absent", (1, 3, 6, 8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def transform(:\n", ":1: error: cannot import the transform"),
        ("\nimport no_such_module_here\n", ":2: error: "),
    ],
)
def test_a_transform_file_that_cannot_be_imported(tmp_path: Path, content: str, message: str) -> None:
    script = tmp_path / "pre.py"
    script.write_text(content)
    with pytest.raises(AxirError) as error:
        load_transform(str(script), ImageInput((1, 3, 4, 4), "NCHW", "rgb"))
    assert f"{script}{message}" in error.value.render()


def test_an_unknown_transform_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(AxirError) as error:
        load_transform("imagenett", ImageInput((1, 3, 4, 4), "NCHW", "rgb"))
    assert "imagenet, unit, raw" in error.value.notes[0]
    with pytest.raises(FileNotFoundError):
        load_transform(str(tmp_path / "absent.py"), ImageInput((1, 3, 4, 4), "NCHW", "rgb"))
