"""`axc`: compiles a network into a folder of artifacts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool

# Only light modules above: `axc --help` must not wait for xDSL and NumPy.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.dialects.builtin import ModuleOp

    from axir.compiler.config import CompilerConfig
    from axir.compiler.dataset import Samples
    from axir.compiler.driver import Request
    from axir.compiler.session import Session

DEFAULT_IMAGES = 200
READERS = ("pil",)

_EPILOG = """\
examples:
  axc model.onnx -o out --imageset photos --transform imagenet
  axc model.onnx -o out --calibration samples.npz --set l2_constraint=4000000 --check 4
  axc out/quantized_model -o out2 --resources 0.25          no calibration: scales are known
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axc",
        description="Compile a network for the AIPU: an .onnx file, a quantized_model folder, an .mlir of any level.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="what to compile")
    parser.add_argument("-i", "--input", dest="model_option", metavar="MODEL", help="the same as MODEL")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the artifacts (or: setting output_dir)")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the log on stderr")
    parser.add_argument("--version", action="version", version=f"axc {__version__}")

    settings = parser.add_argument_group("settings (docs/config.md)")
    settings.add_argument("--config", metavar="FILE.toml", help="read settings from a file")
    settings.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set one setting, over --config; repeatable"
    )
    settings.add_argument("--aipu-cores", metavar="N", help="the same as --set aipu_cores_used=N")
    settings.add_argument("--resources", metavar="F", help="the same as --set resources_used=F")
    settings.add_argument("--target", metavar="FILE.toml", help="device description (default: the shipped metis.toml)")
    settings.add_argument(
        "--generate-config", metavar="DIR", help="write DIR/conf.toml, all settings explained, and stop"
    )

    given = parser.add_argument_group("model and calibration data")
    given.add_argument(
        "--input-shape", action="append", default=[], metavar="NAME=1,3,224,224",
        help="shape of an input that the model leaves open; repeatable",
    )  # fmt: skip
    given.add_argument("--imageset", metavar="DIR", help="calibrate on the images in this folder (needs --transform)")
    given.add_argument(
        "--transform", metavar="T",
        help="imagenet | unit | raw, or FILE.py[:function] that turns a PIL image into the model's input array",
    )  # fmt: skip
    given.add_argument("--calibration", metavar="FILE.npz", help="calibrate on arrays keyed by input name")
    given.add_argument("--input-data-layout", choices=("NCHW", "NHWC"), default="NCHW", help="of the image input")
    given.add_argument("--color-format", choices=("rgb", "bgr", "gray"), default="rgb", help="of the image input")
    given.add_argument("--imreader-backend", default="pil", metavar="pil", help="library that reads images")
    given.add_argument(
        "--num-cal-images", type=int, metavar="N", help=f"most samples to use (default {DEFAULT_IMAGES})"
    )
    given.add_argument(
        "--cal-seed", type=int, default=0, metavar="N", help="chooses images, and random data (default 0)"
    )

    how = parser.add_argument_group("what to do")
    how.add_argument("--quantize-only", action="store_true", help="stop after quantization")
    how.add_argument("--check", type=int, default=0, metavar="N", help="simulator against reference on N samples")
    how.add_argument("--dump-ir", metavar="DIR", help="write the module after every stage")
    how.add_argument("--cli-args", metavar="FILE", help="read arguments from JSON, as DIR/cli_args.json holds them")
    return parser


def _config(arguments: argparse.Namespace) -> CompilerConfig:
    """Defaults, then --config, then the command line."""
    from axir.compiler.config import CompilerConfig

    config = CompilerConfig() if arguments.config is None else CompilerConfig.from_toml(arguments.config)
    assignments = list(arguments.set)
    if arguments.aipu_cores is not None:
        assignments.append(f"aipu_cores_used={arguments.aipu_cores}")
    if arguments.resources is not None:
        assignments.append(f"resources_used={arguments.resources}")
    if arguments.quantize_only:
        assignments.append("compiler_mode=quantize_only")
    return config.with_assignments(assignments)


def _samples(arguments: argparse.Namespace, module: ModuleOp, session: Session) -> Samples:
    """The calibration samples that the arguments name, now that the model's inputs are known."""
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


def _check_arguments(arguments: argparse.Namespace) -> None:
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


def _request(arguments: argparse.Namespace, config: CompilerConfig) -> Request:
    from axir.compiler.driver import Request
    from axir.target.description import load
    from axir.tools.arguments import input_shapes, recorded

    return Request(
        model=arguments.model,
        config=config,
        target=load(arguments.target),
        target_file=None if arguments.target is None else Path(arguments.target),
        samples=lambda module, session: _samples(arguments, module, session),
        input_shapes=input_shapes(arguments.input_shape),
        check=arguments.check,
        dump_ir=None if arguments.dump_ir is None else Path(arguments.dump_ir),
        arguments=recorded(arguments, make_parser()),
    )


def _compile(arguments: argparse.Namespace) -> int:
    from axir.compiler.compiled_model import CompiledModel
    from axir.compiler.driver import run
    from axir.tools.console import Console

    _check_arguments(arguments)
    config = _config(arguments)
    output = arguments.output or config.output_dir
    if arguments.model is None:
        raise AxirError("no model given", notes=("usage: axc MODEL -o DIR; axc --help explains",))
    if output is None:
        raise AxirError("no output folder given", notes=("usage: axc MODEL -o DIR; axc --help explains",))
    console = Console(arguments.verbose)
    with console.live():
        result = run(_request(arguments, config), output, console)
    if "calibrate" not in console.stages and (arguments.imageset or arguments.calibration):
        console.warning("the calibration data were not used: the model is calibrated already")
    if isinstance(result, CompiledModel):
        from axir.tools.summary import rate_lines, totals_lines

        lines = [*totals_lines(result.report), *rate_lines(result.report)]
        if arguments.check:
            lines.append(f"check     {arguments.check} samples: simulator and reference agree on every byte")
        print("\n".join([*lines, f"wrote     {result.model_json}"]))
    else:
        print(f"wrote     {Path(output) / 'quantized_model'}")
    return 0


def _generate_config(folder: Path) -> int:
    from axir.compiler.config import CompilerConfig
    from axir.ir.files import write_text

    file = folder / "conf.toml"
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
        raise AxirError("the file exists already", location=str(file), notes=("remove it, or choose another folder",))
    write_text(file, CompilerConfig().to_toml())
    print(file)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line tool; `argv` defaults to the process's. Returns the exit code."""
    parser = make_parser()
    arguments = parser.parse_args(argv)

    def body() -> int:
        from axir.tools.arguments import merge_file

        merged = arguments if arguments.cli_args is None else merge_file(arguments.cli_args, parser, argv)
        if merged.model is None:
            merged.model = merged.model_option
        if merged.generate_config is not None:
            return _generate_config(Path(merged.generate_config))
        return _compile(merged)

    return run_tool(body)


if __name__ == "__main__":
    sys.exit(main())
