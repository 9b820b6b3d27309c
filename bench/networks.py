"""The nine networks of the benchmarks: where their files are, their real inputs, how they are compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import images
from images import F32, Samples
from shared_folder import CHECKOUT

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.image import build_image
from axir.compiler import CompilerConfig, quantize
from axir.compiler.pipeline import DEVICE_PASSES
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.session import Session
from axir.runtime.tensor_info import I8
from axir.target.description import Target, load

BUILD = CHECKOUT / "build" / "bench"
"""Where benchmarks keep files; `make clean` removes it."""

CALIBRATION = 16
"""Calibration samples where the benchmark is not about calibration."""

FRAMES = 24
"""Inputs of the networks with ten outputs or fewer."""

CALIBRATION_SHARE = 0.75
"""The samples before this share of all calibrate, those after it are run."""


@dataclass(frozen=True)
class Network:
    """A network of the shared folder, or one that the script `generator` writes.

    It is never run on a sample that it was calibrated with. `frames` is on how many inputs it is compared, at least:
    more where the outputs of one are few numbers.
    """

    name: str
    real_inputs: Callable[[Path], Samples]
    frames: int = 4
    shapes: dict[str, tuple[int, ...]] | None = None
    generator: Path | None = None

    def path(self, shared: Path) -> Path:
        """The ONNX file; a generated one is written on first use. Raises `FileNotFoundError`."""
        if self.generator is not None:
            return _generated(self.name, self.generator)
        path = shared / "models" / f"{self.name}.onnx"
        if not path.exists():
            raise FileNotFoundError(f"the shared folder has no models/{path.name}")
        return path

    def inputs(self, shared: Path, count: int) -> list[F32]:
        """`count` real inputs to run."""
        return list(self.real_inputs(shared).spread(count, CALIBRATION_SHARE, 1.0))

    def calibration(self, shared: Path, count: int = CALIBRATION) -> list[F32]:
        """`count` real inputs to calibrate with."""
        return list(self.real_inputs(shared).spread(count, 0.0, CALIBRATION_SHARE))

    def quantize(self, shared: Path, config: CompilerConfig | None = None) -> QuantizedModel:
        return quantize(self.path(shared), self.calibration(shared), config, input_shapes=self.shapes)


def _imagenet(shared: Path) -> Samples:
    return images.imagenet_photos(shared / "images" / "imagenet300")


def _kodak(shared: Path) -> Path:
    return shared / "images" / "kodak24"


NETWORKS = {
    network.name: network
    for network in (
        Network("mnist8", lambda shared: images.digits(), FRAMES),
        Network("resnet8_cifar10", lambda shared: images.cifar(shared / "images" / "cifar10_test_2k.npz"), FRAMES),
        Network("mobilenetv2_imagenet", _imagenet),
        Network("squeezenet1_1_rand", _imagenet),
        Network("efficientnet_b0_rand", _imagenet),
        Network(
            "ppocr_cls",
            lambda shared: images.photo_crops(_kodak(shared), (48, 192), images.signed_bgr, zoom=2),
            FRAMES,
            shapes={"x": (1, 3, 48, 192)},
        ),
        Network(
            "minifasnetv2_80",
            lambda shared: images.photo_crops(_kodak(shared), (80, 80), images.bgr, zoom=4),
            FRAMES,
        ),
        Network("unet_small_rand", lambda shared: images.photo_crops(_kodak(shared), (256, 256), images.normalized)),
        Network("resnet50_random", _imagenet, generator=CHECKOUT / "examples" / "resnet50_random.py"),
    )
}

DETECTORS = {
    network.name: network
    for network in (
        Network("yunet_n_320", lambda shared: images.photo_crops(_kodak(shared), (320, 320), images.bgr)),
        Network("yolov8n_rand", lambda shared: images.letterboxed(_kodak(shared), 640)),
    )
}
"""Networks that the benchmarks of several cores take beside `NETWORKS`."""


def _generated(name: str, generator: Path) -> Path:
    path = BUILD / f"{name}.onnx"
    if not path.exists() or path.stat().st_mtime < generator.stat().st_mtime:
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(generator), str(path)], check=True, stdout=subprocess.DEVNULL)
        os.utime(path)
    return path


def build(model: QuantizedModel, config: CompilerConfig | None = None, target: Target | None = None) -> bytes:
    """The image of a quantized model, built by the passes that `axc` runs; the model stays as it is.

    Raises `AxirError` for what the compiler refuses.
    """
    session = Session(config or CompilerConfig(), target or load())
    session.context.store.update(model.store)
    module = model.module.clone()
    session.run(module, *DEVICE_PASSES)
    return build_image(program_of(module), session.context.store, session.target)


def device_inputs(model: QuantizedModel, sample: F32) -> list[I8]:
    """What the device takes for the model's only input: after the preamble, if there is one, quantized."""
    hosted = model.hosted
    return hosted.device_bytes(hosted.named_inputs([sample]))
