"""How a compilation ended: one status for each part of the compiler that can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axir.ir.diagnostics import to_axir_error
from axir.passes.pipeline import GRAPH_PASSES

CLI_STAGE = "cli"
"""What happens before the first stage: arguments, settings, target description, output folder."""


@dataclass(frozen=True)
class Status:
    """`code` and `number` stand in compilation_report.json; `stages` are those whose failure it names."""

    code: str
    number: int
    meaning: str
    stages: tuple[str, ...] = ()


SUCCEEDED = Status("SUCCEEDED", 0, "every artifact is written")
INTERNAL_ERROR = Status("INTERNAL_ERROR", 13, "a defect of AXIR, in any stage: an exception that is no user's error")
STATUSES = (
    SUCCEEDED,
    Status("CLI_ERROR", 1, "arguments, settings, target description or output folder", (CLI_STAGE,)),
    Status("FRONTEND_ERROR", 2, "the model cannot be read", ("import", "strip-locations")),
    Status("GRAPH_CLEANER_ERROR", 3, "the graph cannot be cleaned, or split into host and device parts", GRAPH_PASSES),
    Status("CALIBRATION_ERROR", 4, "samples that cannot be read, or do not fit the model", ("calibrate",)),
    Status(
        "QUANTIZATION_ERROR",
        5,
        "the device's part cannot be quantized",
        ("smooth-activations", "widen-activations", "quantize", "quantization-debug", "sensitivity"),
    ),
    Status("EXPORT_ERROR", 6, "the quantized model cannot be exported", ("export",)),
    Status("LEGALIZATION_ERROR", 7, "an operator cannot be mapped or tiled", ("multicore", "lower-to-aipu")),
    Status(
        "PLANNING_ERROR",
        8,
        "the buffers cannot be given addresses",
        ("share-memory", "stage-constants", "batch-over-cores", "plan-memory"),
    ),
    Status("SCHEDULING_ERROR", 9, "the tasks cannot be ordered", ("list-schedule", "schedule")),
    Status("ENCODING_ERROR", 10, "the program cannot be encoded as an image", ("resolve-addresses", "encode")),
    Status("CHECK_ERROR", 11, "the image would go wrong, or differs from the reference", ("time", "check")),
    Status("WRITE_ERROR", 12, "the artifacts cannot be written", ("write", "graph-dump")),
    INTERNAL_ERROR,
)
"""By number. Every stage of a compilation stands in one of them."""


def outcome(status: Status, stage: str | None = None, error: str | None = None) -> dict[str, Any]:
    """What compilation_report.json says of how a compilation ended."""
    ended = {"status": status.code, "status_number": status.number, "stage": stage}
    return ended if error is None else ended | {"error": error}


def failure(error: BaseException, stage: str) -> dict[str, Any]:
    """The `outcome` of a compilation that `error` ended in `stage`."""
    known = to_axir_error(error)
    if known is None:
        return outcome(INTERNAL_ERROR, stage, f"internal error: {type(error).__name__}: {error}")
    status = next((status for status in STATUSES if stage in status.stages), INTERNAL_ERROR)
    return outcome(status, stage, known.render())


def status_table() -> str:
    """The statuses as a Markdown table."""
    rows = [
        f"| {s.number} | `{s.code}` | {', '.join(f'`{stage}`' for stage in s.stages)} | {s.meaning} |" for s in STATUSES
    ]
    return "\n".join(["| number | status | stages | meaning |", "|---|---|---|---|", *rows])
