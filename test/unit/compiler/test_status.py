"""Every stage that can fail has one status, and the documentation says which."""

from __future__ import annotations

import ast
import json
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from shared import CHECKOUT
from small_networks import save, sound

from axir.compiler.output import record_refusal
from axir.compiler.pipeline import PASSES
from axir.compiler.status import CLI_STAGE, STATUSES, failure, status_table
from axir.ir.diagnostics import AxirError
from axir.tools.axc import main as axc


def driver_stages() -> set[str]:
    """The stages that axir/compiler runs beside passes: what `session.stage(...)` is called with."""
    found: set[str] = set()
    for path in (CHECKOUT / "axir" / "compiler").glob("*.py"):
        module = import_module(f"axir.compiler.{path.stem}")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "stage":
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        found.add(str(argument.value))
                    elif isinstance(argument, ast.Name) and hasattr(module, argument.id):  # no local variable
                        found.add(getattr(module, argument.id))
    return found


def test_every_stage_has_one_status() -> None:
    stages = {CLI_STAGE, "strip-locations", *PASSES, *driver_stages()}
    assert {"import", "calibrate", "encode", "check", "quantization-debug"} <= stages
    listed = Counter(stage for status in STATUSES for stage in status.stages)
    assert set(listed) == stages, "list the stage in axir/compiler/status.py"
    assert set(listed.values()) == {1}


def test_numbers_and_codes_are_unique() -> None:
    assert [status.number for status in STATUSES] == list(range(len(STATUSES)))
    assert len({status.code for status in STATUSES}) == len(STATUSES)


@pytest.mark.parametrize(
    ("error", "stage", "code"),
    [
        (AxirError("x"), "import", "FRONTEND_ERROR"),
        (AxirError("x"), "split-host", "GRAPH_CLEANER_ERROR"),
        (AxirError("x"), "schedule", "SCHEDULING_ERROR"),
        (OSError(28, "No space left on device"), "write", "WRITE_ERROR"),
        (ZeroDivisionError(), "schedule", "INTERNAL_ERROR"),
    ],
)
def test_a_failure_is_named_after_its_stage(error: Exception, stage: str, code: str) -> None:
    outcome = failure(error, stage)
    assert outcome["status"] == code
    assert outcome["stage"] == stage
    assert outcome["status_number"] == next(status.number for status in STATUSES if status.code == code)


def test_documentation_is_current() -> None:
    assert status_table() in (CHECKOUT / "docs" / "output.md").read_text("utf-8"), (
        "copy axir.compiler.status.status_table()"
    )


# Before the first stage.


@pytest.fixture
def network(tmp_path: Path) -> str:
    return str(save(sound(), tmp_path / "net.onnx"))


WRONG = (["--set", "resources=0.3"], ["--check", "-1"], ["--imageset", "photos"])


@pytest.mark.parametrize("options", WRONG)
def test_a_refusal_leaves_a_report(network: str, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert axc([network, "-o", str(out), *options]) == 1
        report = json.loads((out / "compilation_report.json").read_text())
        assert (report["status"], report["stage"], report["status_number"]) == ("CLI_ERROR", "cli", 1)
        assert "error: " in report["error"]


@pytest.mark.parametrize("options", WRONG)
def test_a_refusal_takes_nothing(network: str, tmp_path: Path, options: list[str]) -> None:
    """Neither a compilation that succeeded nor other files; and it makes no parents."""
    out = tmp_path / "out"
    assert axc([network, "-o", str(out), "--quantize-only"]) == 0
    before = (out / "compilation_report.json").read_bytes()
    assert axc([network, "-o", str(out), *options]) == 1
    assert (out / "compilation_report.json").read_bytes() == before
    assert (out / "quantized_model").is_dir()
    others = tmp_path / "others"
    others.mkdir()
    (others / "thesis.tex").write_text("mine")
    assert axc([network, "-o", str(others), *options]) == 1
    assert [file.name for file in others.iterdir()] == ["thesis.tex"]
    assert axc([network, "-o", str(tmp_path / "no" / "out"), *options]) == 1
    assert not (tmp_path / "no").exists()


def test_a_refusal_replaces_a_failure(tmp_path: Path) -> None:
    for message in ("first", "second"):
        record_refusal(tmp_path / "out", AxirError(message))
    assert json.loads((tmp_path / "out" / "compilation_report.json").read_text())["error"] == "error: second"
