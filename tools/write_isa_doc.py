"""Writes the tables of docs/isa.md from the instruction set in code; --check only says whether they are current."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from axir.backends.aipu.encode import Wait, encode_task
from axir.dialects import aipu
from axir.ir.context import make_context
from axir.ir.files import write_text
from axir.ir.parsing import parse_module
from axir.target import isa
from axir.target.isa import FieldRow, Instruction, StepOp

DOC = Path(__file__).resolve().parent.parent / "docs" / "isa.md"

STEPS = {
    StepOp.LOAD: "target = tensor operand `index`, dequantized",
    StepOp.ADD: "target = target + source",
    StepOp.MUL: "target = target * source",
    StepOp.MIN: "target = the lesser of target and source",
    StepOp.MAX: "target = the greater of target and source",
    StepOp.PRELU: "target = target * source where target < 0",
    StepOp.TABLE: "target = table(target), section 10",
    StepOp.TAPS: "target = target * f32(1 / n), n being the taps inside the input; * 0 where there are none",
    StepOp.MOVE: "target = source",
}

FORMS = {"int_const": "int or lane", "float_const": "float or lane"}


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _legal(row: FieldRow) -> str:
    match row.kind:
        case "enum":
            return ", ".join(f"{code} `{name}`" for code, name in enumerate(row.names))
        case "address":
            return f"{', '.join(f'`{memory}`' for memory in row.memories)}{'; or absent' if row.optional else ''}"
        case "int":
            every = f", multiples of {row.multiple}" if row.multiple > 1 else ""
            return f"{row.low} to {row.high}{every}"
        case _:
            return ""


def _default(row: FieldRow) -> str:
    if row.required:
        return "required"
    return "absent" if row.default is None else "none" if row.default == () else str(row.default)


def _fields(kind: type[Instruction], names: Sequence[str] | None = None) -> str:
    rows = [row for row in isa.fields_of(kind) if names is None or row.name in names]
    return _markdown(
        ["offset", "bytes", "field", "form", "legal", "default", "meaning"],
        [
            [str(row.offset), str(row.bits // 8), f"`{row.name}`", FORMS.get(row.kind, row.kind), _legal(row),
             _default(row), row.doc.replace("|", "\\|")]
            for row in rows
        ],
    )  # fmt: skip


def _own(kind: type[Instruction]) -> str:
    shared = {f.name for base in (isa.Window, isa.VectorProgram) for f in dataclasses.fields(base)}
    return _fields(kind, [f.name for f in dataclasses.fields(kind) if f.name not in shared])


def _shared(base: type[Instruction]) -> str:
    names = [f.name for f in dataclasses.fields(base)]
    tables = {_fields(kind, names) for kind in (isa.Mvm, isa.Depthwise, isa.Vec)}
    assert len(tables) == 1, "the document says that these fields are at the same place in all three"
    return tables.pop()


def _units() -> str:
    rows: list[list[str]] = []
    for number, unit in enumerate(isa.UNITS):
        kinds = [kind for kind in isa.INSTRUCTIONS if unit in kind.units]
        rows.append([str(number), f"`{unit}`", ", ".join(f"`{k.mnemonic}` ({k.opcode})" for k in kinds)])
    return _markdown(["number", "unit", "instructions (opcode)"], rows)


def _steps() -> str:
    rows = [[str(int(op)), f"`{op.name.lower()}`", "yes" if op in isa.STEP_SOURCES else "", STEPS[op]] for op in StepOp]
    return _markdown(["operation", "name", "source", "meaning"], rows)


def example_descriptor(text: str) -> bytes:
    """The descriptor of the document's example."""
    match = re.search(r"<!-- example: mlir -->\n```mlir\n(.*?)```", text, re.DOTALL)
    assert match is not None
    buffer = '%l1 = aipu.buffer "l1" bytes 65536 at 0 : !aipu.buffer<l1>'
    copies = [
        f"%dma0.{n} = aipu.dma on dma0(src = l1 %l1[0], dst = l1 %l1[64]) {{row_bytes = 64}} layer 0" for n in range(3)
    ]
    load = "%load.0 = aipu.load on load(src = l1 %l1[0]) {row = 0, segment_rows = 1, columns = 64} layer 0"
    core = "\n".join(["aipu.core 0 {", *copies, load, match[1], "}"])
    module = parse_module(
        make_context(), f'aipu.program "p" target "metis" layers [] {{\n{buffer}\n{core}\n}}', "example"
    )
    task = next(op for op in module.walk() if isinstance(op, aipu.MvmOp))
    return encode_task(task.fields, [Wait(0, "dma0", 3), Wait(0, "load", 1)], task.layer.value.data)


def _example(text: str) -> str:
    data = example_descriptor(text)
    lines = [f"{start:3}: {data[start : start + 16].hex(' ')}" for start in range(0, len(data), 16)]
    return "\n".join(["```text", *(line for line in lines if line.split(": ")[1].strip("0 ")), "```"])


def current(text: str) -> str:
    """The document with its tables written anew."""
    tables: dict[str, Callable[[], str]] = {
        "units": _units,
        "dma": lambda: _fields(isa.Dma),
        "load": lambda: _fields(isa.Load),
        "window": lambda: _shared(isa.Window),
        "program": lambda: _shared(isa.VectorProgram),
        "steps": _steps,
        "mvm": lambda: _own(isa.Mvm),
        "depthwise": lambda: _own(isa.Depthwise),
        "softmax": lambda: _fields(isa.Softmax),
        "load_pixels": lambda: _fields(isa.LoadPixels),
        "normalize": lambda: _fields(isa.Normalize),
        "example": lambda: _example(text),
    }

    def table(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n{tables[match[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def main() -> int:
    text = DOC.read_text("utf-8")
    if "--check" in sys.argv[1:]:
        if current(text) != text:
            print(f"error: the tables of {DOC.name} are not current\nnote: run {Path(__file__).name}", file=sys.stderr)
            return 1
        return 0
    write_text(DOC, current(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
