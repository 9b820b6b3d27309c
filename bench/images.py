"""Real images, preprocessed as each of the benchmarked networks was trained to see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

F32 = NDArray[np.float32]

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)

CROPS = 4
"""Crops taken from one photo."""


@dataclass(frozen=True)
class Samples:
    """`count` inputs [1, C, H, W] of a network, made one at a time; number `i` is `make(i)`, always the same."""

    count: int
    make: Callable[[int], F32]

    def spread(self, number: int, first: float = 0.0, last: float = 1.0) -> Iterator[F32]:
        """`number` samples, evenly spread over the part of all samples from share `first` to share `last`.

        Raises `ValueError` when that part has fewer.
        """
        start, end = round(first * self.count), round(last * self.count)
        if number > end - start:
            raise ValueError(f"{number} samples wanted, there are {end - start}")
        return (self.make(start + k * (end - start) // number) for k in range(number))


def imagenet_photos(folder: Path) -> Samples:
    """Photos as ImageNet classifiers take them: see `imagenet_input`."""
    files = _files(folder)
    return Samples(len(files), lambda index: imagenet_input(files[index]))


def imagenet_input(path: Path, short: int = 256, crop: int = 224) -> F32:
    """Short side to `short` (bilinear), centre crop, RGB, 0..1, normalized with ImageNet's mean and deviation."""
    image = _open(path)
    scale = short / min(image.size)
    if scale != 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    return normalized(image.crop((left, top, left + crop, top + crop)))


def normalized(image: Image.Image) -> F32:
    return _nchw((np.asarray(image, np.float32) / np.float32(255) - MEAN) / STD)


def bgr(image: Image.Image) -> F32:
    """Blue first, 0..255."""
    return _nchw(np.asarray(image, np.float32)[:, :, ::-1])


def signed_bgr(image: Image.Image) -> F32:
    """Blue first, -1..1."""
    return bgr(image) / np.float32(127.5) - np.float32(1)


def photo_crops(folder: Path, size: tuple[int, int], prepare: Callable[[Image.Image], F32], zoom: int = 1) -> Samples:
    """`CROPS` crops of each photo, scaled down by `zoom` to `size` = (height, width)."""
    files = _files(folder)

    def crop(index: int) -> F32:
        image = _open(files[index % len(files)])
        height, width = size[0] * zoom, size[1] * zoom
        corner = np.random.RandomState(index)  # its stream is frozen (NEP 19): the same crops everywhere
        left = int(corner.randint(image.width - width + 1))
        top = int(corner.randint(image.height - height + 1))
        part = image.crop((left, top, left + width, top + height))
        return prepare(part if zoom == 1 else part.resize((size[1], size[0]), Image.Resampling.BILINEAR))

    return Samples(CROPS * len(files), crop)


def letterboxed(folder: Path, side: int) -> Samples:
    """Photos as YOLO takes them: the long side scaled to `side`, grey bars to a square, RGB 0..1."""
    files = _files(folder)

    def photo(index: int) -> F32:
        image = _open(files[index])
        image = image.resize(
            tuple(round(edge * side / max(image.size)) for edge in image.size), Image.Resampling.BILINEAR
        )
        square = Image.new("RGB", (side, side), (114, 114, 114))
        square.paste(image, tuple((side - edge) // 2 for edge in image.size))
        return _nchw(np.asarray(square, np.float32) / np.float32(255))

    return Samples(len(files), photo)


def cifar(file: Path) -> Samples:
    """CIFAR-10 test images: RGB 0..255, 32x32."""

    @cache
    def pixels() -> NDArray[np.uint8]:
        with np.load(file) as archive:
            return archive["x"]

    return Samples(len(pixels()), lambda index: _nchw(pixels()[index].astype(np.float32)))


def digits() -> Samples:
    """scikit-learn's handwritten digits as MNIST has them: 20x20 in the middle of 28x28, 0..255, white on black."""
    from sklearn.datasets import load_digits

    pixels, _ = load_digits(return_X_y=True)
    images = np.asarray(pixels).reshape(-1, 8, 8)  # 0..16

    def digit(index: int) -> F32:
        small = Image.fromarray((images[index] * (255 / 16)).astype(np.uint8))
        canvas = np.zeros((28, 28, 1), np.float32)
        canvas[4:24, 4:24, 0] = np.asarray(small.resize((20, 20), Image.Resampling.BILINEAR))
        return _nchw(canvas)

    return Samples(len(images), digit)


def _files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))


def _open(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return opened.convert("RGB")


def _nchw(pixels: F32) -> F32:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)[None]
