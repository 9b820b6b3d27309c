"""The archive that a failed compilation leaves (save_error_artifact): what someone else needs to see the failure too.

| member | what |
|---|---|
| `ir.mlir`, `weights.safetensors` | the module before the stage that failed, which the verifier accepted |
| `model.onnx` | instead of these, when the import failed |
| `target.toml` | the device description, when it is not the shipped one |
| `reproduce.txt` | the failing stage and the commands that fail in the same way; a shell script |
| `error.txt` | the message; of a defect of AXIR also where it happened |
| `conf.toml`, `compilation_report.json` | the settings, paths left out; how far the compilation came |

With randomize_onnx_model, no number that training or calibration gave is in it but single ones: see `random_weights`.
Equal failures give equal bytes.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import traceback
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from onnx import ModelProto
from onnx.external_data_helper import load_external_data_for_model

from axir import __version__
from axir.compiler import calibration
from axir.compiler.config import CompilerConfig, settings_table
from axir.compiler.pipeline import make_passes
from axir.compiler.random_onnx import randomize_model
from axir.compiler.random_weights import Randomizer
from axir.compiler.request import Request
from axir.compiler.session import Session
from axir.compiler.source import find_model
from axir.ir.diagnostics import AxirError, to_axir_error
from axir.ir.module_file import weight_keys, weights_path
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.registry import passes
from axir.tools.pipeline import render_pass

IR = "ir.mlir"
WEIGHTS = "weights.safetensors"
MODEL = "model.onnx"
TARGET = "target.toml"
CONFIG = "conf.toml"
_TIME = (1980, 1, 1, 0, 0, 0)

Members = dict[str, bytes]


def write_error_artifact(
    path: Path, request: Request, session: Session, error: BaseException, report: Mapping[str, Any]
) -> None:
    """Write the archive of a compilation that `error` ended. A failure to do so is a warning, no further error."""
    try:
        randomizer = Randomizer(session.context.store) if request.config.randomize_onnx_model else None
        members = _model(request, session, randomizer)
        if request.target_file is not None:
            members[TARGET] = request.target_file.read_bytes()
        texts = {
            "reproduce.txt": _instructions(request, session, members),
            "error.txt": _message(error),
            CONFIG: _portable(request.config).to_toml(),
            "compilation_report.json": _report(report, session),
        }
        for name, text in texts.items():
            members[name] = (text if randomizer is None else randomizer.redacted(text)).encode()
        _write_zip(path, members)
    except Exception as other:
        path.unlink(missing_ok=True)
        session.warning(f"the error artifact cannot be written: {type(other).__name__}: {other}")


def _portable(config: CompilerConfig) -> CompilerConfig:
    """The settings without the folders and files of whoever ran the compilation."""
    paths = [entry.name for entry in settings_table().values() if entry.base is Path]
    return config.replace(**dict.fromkeys(paths))


def _model(request: Request, session: Session, randomizer: Randomizer | None) -> Members:
    """The module, or what the module should have been made of."""
    module = session.last_good
    if module is None:
        return _source(request, randomizer is not None)
    store = session.context.store
    if randomizer is not None:
        randomizer.run(module)
        store = randomizer.store
    keys = [key for key in weight_keys(module) if key in store]
    members = {IR: print_module(module).encode()}
    return members | {WEIGHTS: _weights(store, keys)} if keys else members


def _weights(store: WeightStore, keys: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / WEIGHTS
        store.save(file, keys)
        return file.read_bytes()


def _source(request: Request, randomize: bool) -> Members:
    """The input of an import that failed. What is no ONNX model cannot be randomized, and is then left out."""
    if isinstance(request.model, ModelProto):
        model = ModelProto()
        model.CopyFrom(request.model)
    else:
        file = _file(request.path)
        if file is None:
            return {}
        model = None if file.suffix == ".mlir" else _parsed(file)
        if model is None:
            return {} if randomize else _files(file)
    if randomize:
        model.DiscardUnknownFields()
        randomize_model(model)
    return {MODEL: model.SerializeToString(deterministic=True)}


def _file(path: Path | None) -> Path | None:
    try:
        file = None if path is None else find_model(path)
    except AxirError:
        return None
    return file if file is not None and file.is_file() else None


def _parsed(file: Path) -> ModelProto | None:
    """The model in an ONNX file, with its external data as far as they are there; None where it is none."""
    model = ModelProto()
    try:
        model.ParseFromString(file.read_bytes())
    except Exception:  # protobuf's own types
        return None
    with suppress(Exception):  # absent or damaged data, which may be what failed
        load_external_data_for_model(model, str(file.parent))
    return model


def _files(file: Path) -> Members:
    """A file as it is; of a module also the weights beside it."""
    if file.suffix != ".mlir":
        return {MODEL: file.read_bytes()}
    weights = weights_path(file)
    return {IR: file.read_bytes()} | ({} if weights is None else {WEIGHTS: weights.read_bytes()})


def _instructions(request: Request, session: Session, members: Members) -> str:
    """A shell script, and in its comments what to know."""
    stage = session.current or "write"
    source = next((name for name in (MODEL, IR) if name in members), None)
    lines = [f"# AXIR {__version__} failed in the stage '{stage}'. Run this where the archive is unpacked."]
    if source is None:
        lines.append("# The input is left out: it cannot be read, or its weights cannot be made random.")
        return "\n".join([*lines, ""])
    if request.config.randomize_onnx_model:
        lines.append("# Weights are random (randomize_onnx_model): errors about their values may not come again.")
    if stage == calibration.STAGE:
        lines.append("# Calibration samples are not in the archive: random ones are used.")
    options = ["--target", TARGET] if TARGET in members else []
    if source == MODEL:
        for name, shape in request.input_shapes.items():
            options += ["--input-shape", f"{name}={','.join(map(str, shape))}"]
        lines.append(shlex.join(["ax-opt", source, *options]))
    elif stage in passes():
        (failed,) = make_passes([stage], session.config, session.options)
        lines.append(shlex.join(["ax-opt", source, "-p", render_pass(failed), *options]))
    if not request.host_islands:
        options.append("--no-host-islands")
    if stage == "check":
        options += ["--check", str(request.check)]
    lines += [
        "# The same through the whole compiler:",
        shlex.join(["axc", source, "-o", "out", "--config", CONFIG, *options]),
    ]
    return "\n".join([*lines, ""])


def _message(error: BaseException) -> str:
    known = to_axir_error(error)
    if known is not None:
        return known.render() + "\n"
    return "".join(traceback.format_exception(error))


def _report(report: Mapping[str, Any], session: Session) -> str:
    """The report without measurements, which differ from run to run."""
    return json.dumps({**report, "stages": [stage.name for stage in session.stages]}, indent=2) + "\n"


def _write_zip(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
