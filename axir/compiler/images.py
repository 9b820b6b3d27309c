"""A folder of images as calibration samples."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from axir.compiler.dataset import transform_error
from axir.compiler.transforms import Color, convert_color
from axir.ir.diagnostics import AxirError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff")


@dataclass(frozen=True)
class ImageSet:
    """Transformed images of a folder, read one at a time."""

    files: tuple[Path, ...]
    color: Color
    transform: Callable[[Image.Image], Any]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Any]:
        return map(self._load, self.files)

    def _load(self, file: Path) -> Any:
        image = self._read(file)
        try:
            return self.transform(image)
        except AxirError:
            raise
        except Exception as error:
            raise transform_error(error, str(file)) from error

    def _read(self, file: Path) -> Image.Image:
        try:
            with Image.open(file) as image:
                return convert_color(image, self.color)
        except UnidentifiedImageError:
            raise AxirError("not an image that can be read", location=str(file), notes=("remove the file",)) from None
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise AxirError(f"the image cannot be read: {error}", location=str(file), notes=("replace it",)) from None


def choose_files(folder: str | Path, count: int, seed: int) -> tuple[Path, ...]:
    """At most `count` images below `folder`, in the order of their paths; of more, `seed` decides which.

    Raises `OSError` when the folder cannot be read and `AxirError` when it holds no image.
    """
    root = Path(folder)
    next(root.iterdir(), None)  # raises the usual error where it cannot be read
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise AxirError(f"{folder}: no images in this folder", notes=(f"looked for {' '.join(SUFFIXES)}",))
    if len(found) > count:
        found = sorted(random.Random(seed).sample(found, count))
    return tuple(found)
