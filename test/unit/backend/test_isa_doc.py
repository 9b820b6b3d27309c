"""docs/isa.md says what the code does: its tables are current, its numbers are those of the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from axir.backends.aipu.encode import decode_task
from axir.backends.aipu.image import FORMAT
from axir.target import isa
from axir.target.cost import TABLE_BYTES

CHECKOUT = Path(__file__).resolve().parents[3]
TEXT = (CHECKOUT / "docs" / "isa.md").read_text("utf-8")


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_isa_doc", CHECKOUT / "tools" / "write_isa_doc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_current(writer: ModuleType):
    assert writer.current(TEXT) == TEXT, "run tools/write_isa_doc.py"


def test_every_field_is_in_the_document():
    for kind in isa.INSTRUCTIONS:
        for row in isa.fields_of(kind):
            assert f"| {row.offset} | {row.bits // 8} | `{row.name}` |" in TEXT, (kind.mnemonic, row.name)


def test_the_example_is_what_the_bytes_say(writer: ModuleType):
    lines = re.findall(r"^ *(\d+): ((?:[0-9a-f]{2} ){15}[0-9a-f]{2})$", TEXT, re.MULTILINE)
    data = bytearray(isa.DESCRIPTOR_BYTES)
    for start, content in lines:
        data[int(start) : int(start) + 16] = bytes.fromhex(content)
    assert bytes(data) == writer.example_descriptor(TEXT)
    instruction, waits, layer = decode_task(bytes(data))
    assert isinstance(instruction, isa.Mvm)
    assert (instruction.matrix_rows, instruction.x0, instruction.inverse, layer) == (576, -64, 16.0, 5)
    assert waits == ((0, "dma0", 3), (0, "load", 1))


def test_other_numbers():
    assert f"all {TABLE_BYTES} bytes" in TEXT
    assert f"| `format` | {FORMAT} |" in TEXT
    assert f"| 4224 | {4160} | bins + 2 slopes" in TEXT
    assert TABLE_BYTES == 4224 + 4160
    assert f"{isa.DESCRIPTOR_BYTES} bytes: the header" in TEXT
