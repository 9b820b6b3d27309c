"""The 15 networks of the shared folder with what each is for: real inputs, and what its answer is.

Inputs that calibrate and inputs that are compared never come from one photo: photos are split before they are cut.
An answer is compared between a float and a quantized network, so no labels are needed:

    top-1           share of inputs with the same class
    argmax          share of places (pixels, anchors) with the same class
    boxes           F1 of the boxes over the threshold, after non-maximum suppression: same class, IoU of at least 0.5
    mask IoU        intersection over union of the pixels over the threshold, all inputs together
    PSNR            of the image in dB, against the float network's, peak 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import images
import numpy as np
from images import F32, Samples
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Outputs = list[F32]
Boxes = NDArray[np.float64]
"""[N, 6]: class, score, left, top, right, bottom."""

CALIBRATION_SHARE = 0.5
"""The photos before this share of all calibrate, those after it are compared."""


@dataclass(frozen=True)
class Task:
    """A network, its real inputs, and how the answers of two versions of it are compared (on equal inputs)."""

    name: str
    inputs: Callable[[Path], Samples]
    measure: str
    agreement: Callable[[Sequence[Outputs], Sequence[Outputs]], float]
    trained: bool = True
    compared: int = 24
    """Inputs that are compared."""
    calibrating: int = 16
    """Inputs that calibrate: so few that ONNX Runtime's histograms, which keep all activations, fit the memory."""
    shapes: dict[str, tuple[int, ...]] | None = None

    def path(self, shared: Path) -> Path:
        return shared / "models" / f"{self.name}.onnx"

    def calibration(self, shared: Path) -> list[F32]:
        return list(self.inputs(shared).spread(self.calibrating, 0.0, CALIBRATION_SHARE))

    def held_out(self, shared: Path, count: int | None = None) -> list[F32]:
        return list(self.inputs(shared).spread(count or self.compared, CALIBRATION_SHARE, 1.0))


def top1(exact: Sequence[Outputs], found: Sequence[Outputs]) -> float:
    """In percent, as all but PSNR."""
    return 100 * float(np.mean([a[0].argmax() == b[0].argmax() for a, b in zip(exact, found, strict=True)]))


def argmax(axis: int, first: int = 0) -> Callable[[Sequence[Outputs], Sequence[Outputs]], float]:
    def agreement(exact: Sequence[Outputs], found: Sequence[Outputs]) -> float:
        def classes(outputs: Outputs) -> NDArray[np.intp]:
            return np.take(outputs[0], range(first, outputs[0].shape[axis]), axis).argmax(axis)

        return 100 * float(np.mean([(classes(a) == classes(b)).mean() for a, b in zip(exact, found, strict=True)]))

    return agreement


def mask_iou(threshold: float) -> Callable[[Sequence[Outputs], Sequence[Outputs]], float]:
    def agreement(exact: Sequence[Outputs], found: Sequence[Outputs]) -> float:
        pairs = [(a[0] > threshold, b[0] > threshold) for a, b in zip(exact, found, strict=True)]
        union = sum(int((a | b).sum()) for a, b in pairs)
        return 100 * sum(int((a & b).sum()) for a, b in pairs) / union if union else 100.0

    return agreement


def psnr(exact: Sequence[Outputs], found: Sequence[Outputs]) -> float:
    """Of images of which 0..1 is what can be seen."""
    pairs = zip(exact, found, strict=True)
    error = float(np.mean([np.square(a[0].clip(0, 1).astype(np.float64) - b[0].clip(0, 1)).mean() for a, b in pairs]))
    return 10 * float(np.log10(1 / error)) if error else float("inf")


def boxes_f1(decode: Callable[[Outputs], Boxes]) -> Callable[[Sequence[Outputs], Sequence[Outputs]], float]:
    def agreement(exact: Sequence[Outputs], found: Sequence[Outputs]) -> float:
        matched = total = 0
        for a, b in zip(exact, found, strict=True):
            wanted, given = suppressed(decode(a)), suppressed(decode(b))
            total += len(wanted) + len(given)
            free = list(range(len(given)))
            for box in wanted:
                overlaps = [(_iou(box, given[index]), -index) for index in free if given[index][0] == box[0]]
                best, index = max(overlaps, default=(0.0, 0))
                if best >= 0.5:
                    matched += 2
                    free.remove(-index)
        return 100 * matched / total if total else 100.0

    return agreement


def suppressed(boxes: Boxes, overlap: float = 0.45) -> Boxes:
    """Without those that overlap one of the same class with a better score."""
    kept: list[NDArray[np.float64]] = []
    for box in boxes[np.argsort(-boxes[:, 1], kind="stable")]:
        if all(other[0] != box[0] or _iou(other, box) < overlap for other in kept):
            kept.append(box)
    return np.array(kept).reshape(-1, 6)


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.minimum(a[4:], b[4:]) - np.maximum(a[2:4], b[2:4])
    if (sides <= 0).any():
        return 0.0
    inside = float(sides.prod())
    return inside / (float((a[4:] - a[2:4]).prod()) + float((b[4:] - b[2:4]).prod()) - inside)


def fastestdet_boxes(outputs: Outputs, threshold: float = 0.5) -> Boxes:
    """[1, 85, H, W]: objectness, box (tanh and sigmoid to be applied), 80 classes; as in FastestDet's utils/tool.py."""
    plane = outputs[0][0].astype(np.float64)
    _, height, width = plane.shape
    classes, best = plane[5:].argmax(axis=0), plane[5:].max(axis=0)
    score = np.maximum(plane[0], 0) ** 0.6 * np.maximum(best, 0) ** 0.4
    rows, columns = np.nonzero(score > threshold)
    x = (np.tanh(plane[1, rows, columns]) + columns) / width
    y = (np.tanh(plane[2, rows, columns]) + rows) / height
    half_width, half_height = ((1 / (1 + np.exp(-plane[side, rows, columns]))) / 2 for side in (3, 4))
    picked = classes[rows, columns], score[rows, columns]
    return np.stack([*picked, x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


def yunet_boxes(outputs: Outputs, threshold: float = 0.5, size: int = 320) -> Boxes:
    """Classes, objectness and boxes of three strides; as OpenCV's FaceDetectorYN decodes them."""
    found: list[Boxes] = [np.zeros((0, 6))]
    for level, stride in enumerate((8, 16, 32)):
        cls, obj, box = (outputs[group * 3 + level][0].astype(np.float64) for group in range(3))
        score = np.sqrt(cls[:, 0].clip(0, 1) * obj[:, 0].clip(0, 1))
        places = np.flatnonzero(score > threshold)
        rows, columns = np.divmod(places, size // stride)
        x, y = (columns + box[places, 0]) * stride, (rows + box[places, 1]) * stride
        half_width, half_height = np.exp(box[places, 2]) * stride / 2, np.exp(box[places, 3]) * stride / 2
        corners = [x - half_width, y - half_height, x + half_width, y + half_height]
        found.append(np.stack([np.zeros(len(places)), score[places], *corners], axis=1))
    return np.concatenate(found)


def _photos(*folders: str) -> Callable[[Path], tuple[Path, ...]]:
    return lambda shared: tuple(
        sorted(p for folder in folders for p in (shared / "images" / folder).iterdir() if p.suffix in (".jpg", ".png"))
    )


KODAK, IMAGENET = _photos("kodak24"), _photos("imagenet300")


def whole(
    photos: Callable[[Path], tuple[Path, ...]], size: tuple[int, int], prepare: Callable[[Image.Image], F32]
) -> Callable[[Path], Samples]:
    """Whole photos, resized (bilinear) to `size` = (height, width)."""

    def samples(shared: Path) -> Samples:
        files = photos(shared)

        def make(index: int) -> F32:
            with Image.open(files[index]) as photo:
                return prepare(photo.convert("RGB").resize((size[1], size[0]), Image.Resampling.BILINEAR))

        return Samples(len(files), make)

    return samples


def crops(
    photos: Callable[[Path], tuple[Path, ...]],
    size: tuple[int, int],
    prepare: Callable[[Image.Image], F32],
    each: int = 1,
    zoom: int = 1,
) -> Callable[[Path], Samples]:
    """`each` crops of every photo, one photo after another, so that no photo is on both sides of a split."""

    def samples(shared: Path) -> Samples:
        files = photos(shared)

        def make(index: int) -> F32:
            with Image.open(files[index // each]) as photo:
                image = photo.convert("RGB")
            height, width = size[0] * zoom, size[1] * zoom
            corner = np.random.RandomState(index)  # its stream is frozen (NEP 19)
            left, top = corner.randint(image.width - width + 1), corner.randint(image.height - height + 1)
            part = image.crop((int(left), int(top), int(left) + width, int(top) + height))
            return prepare(part.resize((size[1], size[0]), Image.Resampling.BILINEAR))

        return Samples(each * len(files), make)

    return samples


WORDS = (
    "compiler", "tensor", "schedule", "quantize", "memory", "array", "vector", "network", "kernel", "device", "latency",
    "2048", "float", "graph", "range", "No. 17", "OPEN", "EXIT", "Main Street", "1984", "Coffee", "Platform 9", "pixel",
)  # fmt: skip


def written(
    photos: Callable[[Path], tuple[Path, ...]], size: tuple[int, int], lines: int, turned: bool = False, each: int = 1
) -> Callable[[Path], Samples]:
    """`each` times every photo, with words written over it in seeded places; `turned`: every second upside down."""

    def samples(shared: Path) -> Samples:
        files = photos(shared)

        def make(index: int) -> F32:
            random = np.random.RandomState(index)
            with Image.open(files[index // each]) as photo:
                image = photo.convert("RGB").resize((size[1], size[0]), Image.Resampling.BILINEAR)
            draw = ImageDraw.Draw(image)
            for _ in range(lines):
                height = int(random.randint(size[0] // 2, size[0] * 3 // 4) if lines == 1 else random.randint(16, 56))
                font = ImageFont.load_default(height)
                words = " ".join(WORDS[i] for i in random.randint(len(WORDS), size=2))
                place = int(random.randint(max(1, size[1] // 3))), int(random.randint(max(1, size[0] - height - 4)))
                dark = bool(random.randint(2))
                box = draw.textbbox(place, words, font=font)
                draw.rectangle(box, fill=(235, 235, 225) if dark else (30, 40, 60))
                draw.text(place, words, font=font, fill=(20, 20, 30) if dark else (245, 245, 235))
            if turned and index % 2:
                image = image.transpose(Image.Transpose.ROTATE_180)
            return images.signed_bgr(image)

        return Samples(each * len(files), make)

    return samples


def unit(image: Image.Image) -> F32:
    """RGB, 0..1."""
    return np.ascontiguousarray(np.asarray(image, np.float32).transpose(2, 0, 1)[None] / np.float32(255))


def unit_bgr(image: Image.Image) -> F32:
    return np.ascontiguousarray(unit(image)[:, ::-1])


@cache
def _imagenet(shared: Path) -> Samples:
    return images.imagenet_photos(shared / "images" / "imagenet300")


def _cifar(shared: Path) -> Samples:
    return images.cifar(shared / "images" / "cifar10_test_2k.npz")


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("mnist8", lambda _: images.digits(), "top-1", top1, compared=400, calibrating=32),
        Task("resnet8_cifar10", _cifar, "top-1", top1, compared=400, calibrating=32),
        Task("mobilenetv2_imagenet", _imagenet, "top-1", top1, compared=149, calibrating=32),
        Task(
            "minifasnetv2_80", crops(KODAK, (80, 80), images.bgr, each=32, zoom=4), "top-1", top1,
            compared=384, calibrating=32,
        ),
        Task(
            "ppocr_cls", written(IMAGENET, (48, 192), 1, turned=True, each=5), "top-1", top1,
            compared=600, calibrating=32, shapes={"x": (1, 3, 48, 192)},
        ),
        Task(
            "ppocrv4_det", written(IMAGENET, (640, 640), 8), "mask IoU", mask_iou(0.3), compared=12, calibrating=8,
            shapes={"x": (1, 3, 640, 640)},
        ),
        Task(
            "prisma_portrait_seg", whole(IMAGENET, (256, 256), unit), "mask IoU", mask_iou(0.5), compared=72,
            shapes={"input_3": (1, 3, 256, 256)},
        ),
        Task(
            "fastestdet", whole(IMAGENET, (352, 352), unit_bgr), "boxes", boxes_f1(fastestdet_boxes), compared=60,
            calibrating=24,
        ),
        Task("yunet_n_320", whole(IMAGENET, (320, 320), images.bgr), "boxes", boxes_f1(yunet_boxes), compared=149,
             calibrating=24),
        Task(
            "realesr_animevideov3_x4_128", crops(KODAK, (128, 128), unit, each=2), "PSNR", psnr, compared=8,
            calibrating=8,
        ),
        Task("squeezenet1_1_rand", _imagenet, "top-1", top1, trained=False),
        Task("efficientnet_b0_rand", _imagenet, "top-1", top1, trained=False),
        Task("unet_small_rand", crops(KODAK, (256, 256), images.normalized, each=2), "argmax", argmax(1),
             trained=False, compared=8, calibrating=8),
        Task("yolov8n_rand", whole(IMAGENET, (640, 640), unit), "argmax", argmax(1, 4), trained=False, compared=4,
             calibrating=8),
        Task("yolo11n_rand", whole(IMAGENET, (640, 640), unit), "argmax", argmax(1, 4), trained=False, compared=4,
             calibrating=8),
    )
}  # fmt: skip


def sqnr(exact: Sequence[Outputs], found: Sequence[Outputs]) -> list[float]:
    """Signal to quantization noise in dB of every output, over all inputs."""
    ratios: list[float] = []
    for index in range(len(exact[0])):
        signal = sum(float(np.square(a[index].astype(np.float64)).sum()) for a in exact)
        pairs = zip(exact, found, strict=True)
        noise = sum(float(np.square(a[index].astype(np.float64) - b[index]).sum()) for a, b in pairs)
        ratios.append(10 * float(np.log10(signal / noise)) if noise and signal else float("inf") if signal else 0.0)
    return ratios


def input_name(model: Path) -> str:
    """The name of the only input that is no initializer."""
    import onnx

    graph = onnx.load(str(model), load_external_data=False).graph
    initializers = {tensor.name for tensor in graph.initializer}
    (name,) = [value.name for value in graph.input if value.name not in initializers]
    return name


def float_outputs(path: Path, inputs: Sequence[F32], shapes: dict[str, tuple[int, ...]] | None = None) -> Any:
    """The outputs of the ONNX model under ONNX Runtime, for each input."""
    import onnxruntime

    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 2
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return [session.run(None, {name: sample}) for sample in inputs]
