"""Calibration data that the arguments of `axc` name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from axir.ir.diagnostics import AxirError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from axir.compiler.dataset import Samples
    from axir.compiler.session import Session

DEFAULT_IMAGES = 200
READERS = ("pil",)


def check_data_arguments(arguments: argparse.Namespace) -> None:
    """What single options cannot say. Raises `AxirError`."""
    if arguments.imageset is not None and arguments.calibration is not None:
        raise AxirError("give --imageset or --calibration, not both")
    if arguments.imageset is not None and arguments.transform is None:
        raise AxirError(
            "--imageset needs --transform",
            notes=("imagenet, unit, raw or FILE.py: calibration is only as good as the preprocessing",),
        )
    if arguments.imageset is None and arguments.transform is not None:
        raise AxirError("--transform is for --imageset; arrays of --calibration are taken as they are")
    if arguments.num_cal_images is not None and arguments.num_cal_images < 1:
        raise AxirError(f"--num-cal-images must be at least 1, not {arguments.num_cal_images}")
    if arguments.imreader_backend not in READERS:
        raise AxirError(
            f"--imreader-backend {arguments.imreader_backend}: this version reads images with pil only",
            notes=("leave the option out",),
        )


def samples(arguments: argparse.Namespace, module: ModuleOp, session: Session) -> Samples:
    """The calibration samples, now that the model's inputs are known. Raises `AxirError`."""
    from axir.compiler.calibration import inputs_of, random_dataset
    from axir.compiler.dataset import Samples, named_samples
    from axir.passes.quantization.samples import load_samples

    count, seed = arguments.num_cal_images, arguments.cal_seed
    if arguments.calibration is not None:
        return Samples(load_samples(arguments.calibration, dict(inputs_of(module)), count or DEFAULT_IMAGES))
    if arguments.imageset is None:
        return random_dataset(module, session, count, seed)
    from axir.compiler.images import ImageSet, choose_files
    from axir.compiler.transforms import ImageInput, load_transform

    inputs = inputs_of(module)
    if len(inputs) != 1:
        raise AxirError(f"--imageset is for models with one input; this one has {len(inputs)}: {', '.join(inputs)}")
    ((name, (shape, _)),) = inputs.items()
    image = ImageInput(shape, arguments.input_data_layout, arguments.color_format)
    image.check(name)
    files = choose_files(arguments.imageset, count or DEFAULT_IMAGES, seed)
    images = ImageSet(files, image.color, load_transform(arguments.transform, image))
    return Samples(named_samples(images, inputs, None), len(files))
