"""`axc`: compiles a network into a folder of artifacts."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from axir import __version__
from axir.ir.diagnostics import AxirError, run_tool
from axir.tools.axc_data import DEFAULT_IMAGES

MODES = ("multiprocess", "multithread", "batch", "cooperative", "pipeline")
"""Values of the setting multicore_mode."""

# Only light modules above: `axc --help` must not wait for xDSL and NumPy.
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from axir.compiler.request import Request
    from axir.compiler.session import Listener
    from axir.tools.compilations import Compilation

_EPILOG = """\
examples:
  axc model.onnx -o out --imageset photos --transform imagenet
  axc model.onnx -o out --calibration samples.npz --set l2_constraint=4000000 --check 4
  axc out/quantized_model -o out2 --resources 0.25          no calibration: scales are known
  axc card.yaml -o out --imageset photos --transform unit   settings and weights from a model card
  axc model.onnx --sensitivity --imageset photos --transform imagenet   where the accuracy goes; compiles nothing
  axc --explain-config card.yaml --set tiling_depth=6       where every setting comes from
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="axc",
        description="Compile a network for the AIPU: an .onnx file, a model card (.yaml), a quantized_model folder, "
        "an .mlir of any level.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="what to compile")
    parser.add_argument("-i", "--input", dest="model_option", metavar="MODEL", help="the same as MODEL")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the artifacts (or: setting output_dir)")
    parser.add_argument(
        "--model", dest="card_model", metavar="NAME",
        help="which model of a card; without it all are compiled, of several each into DIR/NAME",
    )  # fmt: skip
    parser.add_argument("-v", "--verbose", action="store_true", help="print the log on stderr")
    parser.add_argument("--version", action="version", version=f"axc {__version__}")

    settings = parser.add_argument_group("settings (docs/config.md; axc --help-settings lists them)")
    settings.add_argument(
        "--config", metavar="FILE.toml", help="read settings from a file, or by its name from a shipped config"
    )
    settings.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set one setting, over --config; repeatable"
    )
    settings.add_argument("--aipu-cores", metavar="N", help="the same as --set aipu_cores_used=N")
    settings.add_argument("--resources", metavar="F", help="the same as --set resources_used=F")
    settings.add_argument("--target", metavar="FILE.toml", help="device description (default: the shipped metis.toml)")

    about = parser.add_argument_group("about settings; these do not compile")
    about.add_argument(
        "--explain-config", action="store_true", help="print what is not default, where it comes from, what it overrode"
    )
    about.add_argument(
        "--help-settings",
        nargs="*",
        metavar="NAME",
        help="explain all settings, or those named: type, range, meaning",
    )
    about.add_argument("--list-configs", action="store_true", help="list the shipped configs")
    about.add_argument("--config-schema", action="store_true", help="print the JSON schema of a file of settings")
    about.add_argument("--generate-config", metavar="DIR", help="write DIR/conf.toml, all settings explained")

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
    given.add_argument(
        "--input-data-layout", choices=("NCHW", "NHWC"), help="of the image input (default: the card's, or NCHW)"
    )
    given.add_argument(
        "--color-format", choices=("rgb", "bgr", "gray"), help="of the image input (default: the card's, or rgb)"
    )
    given.add_argument("--imreader-backend", default="pil", metavar="pil", help="library that reads images")
    given.add_argument(
        "--num-cal-images", type=int, metavar="N", help=f"most samples to use (default {DEFAULT_IMAGES})"
    )
    given.add_argument(
        "--cal-seed", type=int, metavar="N", help="chooses images, and random data (default: the card's, or 0)"
    )

    how = parser.add_argument_group("what to do")
    how.add_argument(
        "--multicore", choices=("auto", *MODES), metavar="MODE",
        help="auto: try the ways for cores to work on the device model, take the best, and say why; or a mode, the "
        "same as --set multicore_mode=MODE",
    )  # fmt: skip
    how.add_argument(
        "--optimize-for", choices=("latency", "throughput"), default="throughput",
        help="what --multicore auto looks for (default throughput)",
    )  # fmt: skip
    how.add_argument("--quantize-only", action="store_true", help="stop after quantization")
    how.add_argument("--check", type=int, default=0, metavar="N", help="simulator against reference on N samples")
    how.add_argument(
        "--partition-only", action="store_true", help="print which nodes run where, and why; compile nothing"
    )
    how.add_argument(
        "--sensitivity", action="store_true",
        help="print how much each layer costs in accuracy when it alone is quantized, and what would help; with -o "
        "also write it there; compile nothing",
    )  # fmt: skip
    how.add_argument(
        "--sensitivity-samples", type=int, metavar="N",
        help="measure on the first N calibration samples (default 8)",
    )  # fmt: skip
    how.add_argument("--json", action="store_true", help="with --partition-only or --sensitivity: print JSON")
    how.add_argument(
        "--no-host-islands", action="store_true",
        help="an operator that the device cannot run in the middle of the network is an error, not the host's",
    )  # fmt: skip
    how.add_argument(
        "--no-cascade", action="store_true",
        help="compile the models of a card each for itself; else they must fit one device together, and are linked",
    )  # fmt: skip
    how.add_argument("--dump-ir", metavar="DIR", help="write the module after every stage")
    how.add_argument("--cli-args", metavar="FILE", help="read arguments from JSON, as DIR/cli_args.json holds them")
    return parser


def _request(job: Compilation, network: Path) -> Request:
    from axir.compiler.request import Request
    from axir.target.description import load
    from axir.tools.arguments import recorded
    from axir.tools.axc_data import samples

    arguments = job.arguments
    return Request(
        model=str(network),
        config=job.resolved.config,
        target=load(arguments.target),
        target_file=None if arguments.target is None else Path(arguments.target),
        samples=lambda module, session: samples(arguments, module, session),
        input_shapes=job.input_shapes(network),
        check=arguments.check,
        host_islands=not arguments.no_host_islands,
        goal=arguments.optimize_for if arguments.multicore == "auto" else None,
        dump_ir=job.dump_ir,
        arguments=recorded(job.written, make_parser()),
        reads=job.reads(),
        notes=job.notes(),
        warnings=[] if job.model is None else list(job.model.warnings()),
    )


def _compile(arguments: argparse.Namespace) -> int:
    from axir.tools.axc_data import check_data_arguments
    from axir.tools.compilations import compilations

    try:
        check_data_arguments(arguments)
        jobs = compilations(arguments)
        for job in jobs:
            job.check()
        linked = _checked_cascade(arguments, jobs)
    except (AxirError, OSError) as error:
        _record_refusal(arguments, error)
        raise
    for job in jobs:
        try:
            _compile_one(job)
        except AxirError as error:
            if job.several and job.model is not None:
                error.add_context(f"this happened with the model '{job.model.name}'; --model NAME compiles another")
            raise
    if linked:
        from axir.compiler.cascade import DEVICE_IMAGE, holding_lines, link

        folder = jobs[0].output.parent
        print("\n".join([*holding_lines(link(linked, folder)), f"wrote     {folder / DEVICE_IMAGE}"]))
    return 0


def _checked_cascade(arguments: argparse.Namespace, jobs: Sequence[Compilation]) -> list[str]:
    """The models of a card that are to run side by side; none where there is nothing to link. Raises `AxirError`."""
    named = [(job, job.model) for job in jobs if job.model is not None]
    whole = all(job.resolved.config.compiler_mode != "quantize_only" for job in jobs)
    if len(named) < 2 or arguments.no_cascade or not whole:
        return []
    from axir.compiler.cascade import Share, check_cascade
    from axir.target.description import load

    shares = [Share(model.name, job.resolved.config, str(model.place)) for job, model in named]
    check_cascade(shares, load(arguments.target))
    return [share.name for share in shares]


def _record_refusal(arguments: argparse.Namespace, error: Exception) -> None:
    """Leave a report of the error in the output folder, where it is sure that the folder is that of one compilation."""
    from axir.compiler.config.card import is_card
    from axir.compiler.output import record_refusal
    from axir.tools.arguments import recorded

    one = arguments.model is not None and (arguments.card_model is not None or not is_card(arguments.model))
    if arguments.output is not None and one:
        record_refusal(arguments.output, error, arguments=recorded(arguments, make_parser()))


def _compile_one(job: Compilation) -> None:
    from axir.compiler.compiled_model import CompiledModel
    from axir.compiler.driver import run
    from axir.compiler.output import record_refusal
    from axir.tools.arguments import recorded
    from axir.tools.console import Console

    console = Console(job.arguments.verbose)
    with console.live(), ExitStack() as stack:
        try:
            request = _request(job, stack.enter_context(job.network()))
        except (AxirError, OSError) as error:
            record_refusal(job.output, error, arguments=recorded(job.written, make_parser()))
            raise
        result = run(request, job.output, console)
    if "calibrate" not in console.stages and (job.arguments.imageset or job.arguments.calibration):
        console.warning("the calibration data were not used: the model is calibrated already")
    lines = [f"model     {job.model.name}"] if job.model is not None else []
    if isinstance(result, CompiledModel):
        from axir.compiler.multicore_text import choice_lines
        from axir.tools.summary import rate_lines, totals_lines

        if "multicore_choice" in result.report:
            lines += [*choice_lines(result.report["multicore_choice"]), ""]
        lines += [*totals_lines(result.report), *rate_lines(result.report)]
        if job.arguments.check:
            lines.append(f"check     {job.arguments.check} samples: simulator and reference agree on every byte")
        lines.append(f"wrote     {result.model_json}")
    else:
        lines.append(f"wrote     {job.output / 'quantized_model'}")
    print("\n".join(lines))


def _reports(
    arguments: argparse.Namespace, report: Callable[[Request, Listener], Mapping[str, Any]]
) -> list[tuple[Compilation, Mapping[str, Any]]]:
    """What is reported of each model, in the order of a card; nothing is compiled. Raises `AxirError`."""
    from axir.tools.compilations import compilations
    from axir.tools.console import Console

    jobs = compilations(arguments)
    for job in jobs:
        job.check(written=False)
    found: list[tuple[Compilation, Mapping[str, Any]]] = []
    for job in jobs:
        console = Console(arguments.verbose)
        with console.live(), job.network() as network:
            found.append((job, report(_request(job, network), console)))
    return found


def _print_reports(
    as_json: bool, reports: Sequence[Mapping[str, Any]], lines: Callable[[Mapping[str, Any]], list[str]]
) -> None:
    import json

    if as_json:
        print(json.dumps(reports[0] if len(reports) == 1 else reports, indent=2))
    else:
        print("\n\n".join("\n".join(lines(report)) for report in reports))


def _partition(arguments: argparse.Namespace) -> int:
    from axir.compiler.partition_report import partition_report
    from axir.tools.partition import partition_lines

    reports = [report for _, report in _reports(arguments, partition_report)]
    _print_reports(arguments.json, reports, partition_lines)
    return 0


def _sensitivity(arguments: argparse.Namespace) -> int:
    from functools import partial

    from axir.compiler.output import check_addable
    from axir.compiler.sensitivity import SAMPLES, sensitivity_report, write_report
    from axir.tools.axc_data import check_data_arguments
    from axir.tools.compilations import compilations
    from axir.tools.sensitivity import sensitivity_lines

    check_data_arguments(arguments)
    if arguments.imageset is None and arguments.calibration is None:
        raise AxirError(
            "--sensitivity needs calibration data: on random numbers it would tell nothing",
            notes=("give --imageset with --transform, or --calibration",),
        )
    for job in compilations(arguments):
        if job.writes:
            check_addable(job.output)
    given = arguments.sensitivity_samples
    reports = _reports(arguments, partial(sensitivity_report, samples=SAMPLES if given is None else given))
    for job, report in reports:
        if job.writes:
            write_report(job.output, report, sensitivity_lines(report))
    _print_reports(arguments.json, [report for _, report in reports], sensitivity_lines)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from axir.tools.compilations import compilations
    from axir.tools.explain import history_lines, model_lines, source_lines

    parts: list[str] = []
    for job in compilations(arguments):
        lines = [] if job.card is None or job.model is None else model_lines(job.card, job.model)
        lines += [*source_lines(job.sources, job.config_file), *history_lines(job.resolved)]
        parts.append("\n".join(lines))
    print("\n\n".join(parts))
    return 0


def _about(arguments: argparse.Namespace) -> int | None:
    """Print what was asked about settings; None where nothing was."""
    if arguments.help_settings is not None:
        from axir.compiler.config.document import help_text

        print(help_text(arguments.help_settings), end="")
    elif arguments.list_configs:
        from axir.tools.explain import config_list_lines

        print("\n".join(config_list_lines()))
    elif arguments.config_schema:
        import json

        from axir.compiler.config.schema import settings_schema

        print(json.dumps(settings_schema(), indent=2))
    elif arguments.generate_config is not None:
        return _generate_config(Path(arguments.generate_config))
    else:
        return None
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
        done = _about(merged)
        if done is not None:
            return done
        if merged.json and not (merged.partition_only or merged.sensitivity):
            raise AxirError("--json is for --partition-only and --sensitivity; a compilation writes JSON anyway")
        if merged.partition_only and merged.sensitivity:
            raise AxirError("give --partition-only or --sensitivity, not both")
        if merged.sensitivity_samples is not None and not merged.sensitivity:
            raise AxirError("--sensitivity-samples is for --sensitivity")
        if merged.explain_config:
            return _explain(merged)
        if merged.sensitivity:
            return _sensitivity(merged)
        return _partition(merged) if merged.partition_only else _compile(merged)

    return run_tool(body)


if __name__ == "__main__":
    sys.exit(main())
