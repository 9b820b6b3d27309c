"""From an image to a model's input: the built-in transforms, and a user's own from a Python file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from axir.compiler.dataset import transform_error
from axir.ir.diagnostics import AxirError

Layout = Literal["NCHW", "NHWC"]
Color = Literal["rgb", "bgr", "gray"]
F32 = NDArray[np.float32]

BUILT_IN = ("imagenet", "unit", "raw")
DEFAULT_FUNCTION = "transform"

# Per-channel mean and standard deviation of ImageNet, as torchvision's reference transforms use them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ImageInput:
    """The model's image input: NumPy shape with batch 1, how it is laid out, the order of its colours."""

    shape: tuple[int, ...]
    layout: Layout
    color: Color

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        return (self.shape[2], self.shape[3]) if self.layout == "NCHW" else (self.shape[1], self.shape[2])

    def check(self, name: str) -> None:
        """Raises `AxirError` unless the input can hold an image of this colour format."""
        channels = 1 if self.color == "gray" else 3
        axis = 1 if self.layout == "NCHW" else 3
        if len(self.shape) != 4 or self.shape[0] != 1 or self.shape[axis] != channels:
            raise AxirError(
                f"input '{name}' has shape {list(self.shape)}: it takes no {self.color} images in layout {self.layout}",
                notes=("choose --input-data-layout and --color-format, or pass arrays with --calibration",),
            )

    def arrange(self, pixels: F32) -> F32:
        """Pixels [H, W, C] as the model takes them, with the batch axis."""
        return np.ascontiguousarray(pixels.transpose(2, 0, 1) if self.layout == "NCHW" else pixels)[None]


def load_transform(text: str, target: ImageInput) -> Callable[[Image.Image], Any]:
    """The transform that `--transform` names: a built-in one, or FILE.py[:function], which takes a PIL image.

    Raises `AxirError` for an unknown name, a file that cannot be imported and a missing function.
    """
    match text:
        case "imagenet":
            return lambda image: target.arrange(_imagenet(image, target))
        case "unit":
            return lambda image: target.arrange(_resized(image, target.size) / np.float32(255))
        case "raw":
            return lambda image: target.arrange(_resized(image, target.size))
        case _:
            return _user_function(text)


def convert_color(image: Image.Image, color: Color) -> Image.Image:
    """The image with 8-bit channels in the order of `color`."""
    if color == "gray":
        return image.convert("L")
    rgb = image.convert("RGB")
    return Image.merge("RGB", rgb.split()[::-1]) if color == "bgr" else rgb


def _pixels(image: Image.Image) -> F32:
    array = np.asarray(image, np.float32)
    return array[:, :, None] if array.ndim == 2 else array


def _resized(image: Image.Image, size: tuple[int, int]) -> F32:
    return _pixels(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _imagenet(image: Image.Image, target: ImageInput) -> F32:
    """torchvision's reference: short side to 256/224 of the crop, centre crop, /255, minus mean, over deviation."""
    if target.color == "gray":
        raise AxirError("the transform 'imagenet' is for colour images", notes=("use 'unit', or one of your own",))
    height, width = target.size
    short = round(max(height, width) * 256 / 224)
    if image.width <= image.height:
        size = (short, int(short * image.height / image.width))
    else:
        size = (int(short * image.width / image.height), short)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    pixels = _pixels(image.crop((left, top, left + width, top + height))) / np.float32(255)
    order = slice(None, None, -1) if target.color == "bgr" else slice(None)
    return (pixels - np.array(MEAN, np.float32)[order]) / np.array(STD, np.float32)[order]


def _user_function(text: str) -> Callable[[Image.Image], Any]:
    path_text, separator, function = text.rpartition(":")
    if not separator or not path_text.endswith(".py"):
        path_text, function = text, DEFAULT_FUNCTION
    path = Path(path_text)
    if path.suffix != ".py":
        raise AxirError(
            f"there is no transform '{text}'",
            notes=(f"built in are {', '.join(BUILT_IN)}; your own is FILE.py or FILE.py:function",),
        )
    path.read_bytes()  # raises the usual error where it cannot be read
    spec = spec_from_file_location(f"axir_transform_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # The file may import its neighbours.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise AxirError(f"cannot import the transform: {error.msg}", location=f"{path}:{error.lineno}") from None
    except Exception as error:
        raise transform_error(error, str(path)) from error
    finally:
        sys.path.pop(0)
    found = getattr(module, function, None)
    if not callable(found):
        raise AxirError(f"{path} has no function '{function}'", notes=("name it: --transform FILE.py:function",))
    return cast(Callable[[Image.Image], Any], found)
