"""The image file: readable by others, the same bytes for the same program, and no damage goes unseen."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from unit.backend import programs

from axir.backends.aipu.elf import ElfFile, Section, read_elf, write_elf
from axir.backends.aipu.image import build_image, read_image, write_image
from axir.backends.aipu.structure import Image, target_digest
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.target import isa
from axir.target.description import load

TARGET = load()


@pytest.fixture(scope="module")
def data() -> bytes:
    ctx = make_context()
    return build_image(parse_module(ctx, programs.text(), "p.mlir"), ctx.store, TARGET)


def same(first: Image, second: Image) -> bool:
    """Whether two images hold the same; arrays make `==` useless."""

    def plain(image: Image) -> object:
        constants = [(c.label, c.memory, c.address, c.data.tobytes()) for c in image.constants]
        return dataclasses.replace(image, constants=()), constants

    return plain(first) == plain(second)


def test_reading_gives_what_was_written(data: bytes):
    image = read_image(data, TARGET)
    assert same(image, programs.assembled(programs.text()))
    assert image.memory == {"l1": 67584, "l2": 1408, "ddr": 4096}
    assert [port.label for port in (*image.inputs, *image.outputs)] == ["in", "out"]
    assert image.outputs[0].offset == 640
    assert write_image(image) == data


def test_pyelftools_finds_everything(data: bytes):
    elf = ELFFile(BytesIO(data))
    names = [section.name for section in elf.iter_sections()]
    queues = [f".axir.core0.{unit}" for unit in isa.UNITS]
    assert names == ["", ".axir.meta", *queues, ".axir.data.l2.0", ".symtab", ".strtab", ".shstrtab", ".axir.sums"]
    constant = elf.get_section_by_name(".axir.data.l2.0")
    assert (constant["sh_addr"], constant.data()) == (1280, bytes([3] * 128))
    assert len(elf.get_section_by_name(".axir.core0.dma0").data()) == isa.DESCRIPTOR_BYTES
    symbols = {
        s.name: (s["st_value"], s["st_size"], s["st_shndx"]) for s in elf.get_section_by_name(".symtab").iter_symbols()
    }
    assert symbols["c"] == (1280, 128, names.index(".axir.data.l2.0"))
    assert symbols["out"] == (640, 640, "SHN_ABS")
    meta = json.loads(elf.get_section_by_name(".axir.meta").data())
    assert meta["digest"] == target_digest(TARGET)


def test_readelf_has_no_complaints(data: bytes, tmp_path: Path):
    if shutil.which("readelf") is None:
        pytest.skip("no readelf")
    file = tmp_path / "model.axm"
    file.write_bytes(data)
    done = subprocess.run(["readelf", "--all", "--wide", file], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "Warning" not in done.stdout
    assert ".axir.core0.array" in done.stdout


def test_bytes_do_not_depend_on_hashing(data: bytes):
    code = (
        "import sys; from unit.backend import programs; from axir.backends.aipu.image import write_image;"
        "sys.stdout.buffer.write(write_image(programs.assembled(programs.text())))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        assert done.stdout == data


def test_every_flipped_bit_is_found(data: bytes):
    rng = random.Random(0)
    positions = [*range(64), *rng.sample(range(64, len(data)), 300)]
    for position in positions:
        damaged = bytearray(data)
        damaged[position] ^= 1 << rng.randrange(8)
        with pytest.raises(AxirError):
            read_image(bytes(damaged))


def test_every_truncation_is_found(data: bytes):
    for size in [0, 1, 63, 64, 100, *range(128, len(data), 117), len(data) - 1]:
        with pytest.raises(AxirError, match="not a whole program image"):
            read_image(data[:size])


def test_appended_bytes_are_found(data: bytes):
    with pytest.raises(AxirError, match="checksum of its headers"):
        read_image(data + b"\0")


def test_a_damaged_section_is_named(data: bytes):
    position = data.index(bytes([3] * 128))
    damaged = bytearray(data)
    damaged[position] = 4
    with pytest.raises(AxirError, match=r"the checksum of \.axir\.data\.l2\.0 does not match") as caught:
        read_image(bytes(damaged))
    assert "compile the model again" in caught.value.notes[0]


def resealed(data: bytes, **meta: object) -> bytes:
    """The image with other metadata and right checksums."""
    elf = read_elf(np.frombuffer(data, np.uint8), BytesIO(data))
    content = {**json.loads(elf.sections[0].data.tobytes()), **meta}
    first = Section(".axir.meta", np.frombuffer(json.dumps(content).encode(), np.uint8))
    rest = [s if s.name.startswith(".axir.data") else Section(s.name, s.data) for s in elf.sections[1:-3]]
    return write_elf(ElfFile((first, *rest), elf.symbols))


def test_other_versions_are_refused(data: bytes):
    assert same(read_image(resealed(data)), read_image(data))
    with pytest.raises(AxirError, match="image format 1, this AXIR reads format 3"):
        read_image(resealed(data, format=1))


@pytest.mark.parametrize(
    "meta", [{"layers": 3}, {"inputs": [{}]}, {"cores": 2}, {"inputs": [{"runs": 5}]}, {"mode": "x"}]
)
def test_contradictions_are_refused(data: bytes, meta: dict[str, object]):
    with pytest.raises(AxirError, match="contradicts itself"):
        read_image(resealed(data, **meta))


def test_layers_that_are_not_listed_are_refused(data: bytes):
    with pytest.raises(AxirError, match=r"core 0 dma0\[0\]: names layer 0, the image lists 0"):
        read_image(resealed(data, layers=[]))


def test_other_targets_are_refused(data: bytes):
    small = dataclasses.replace(TARGET, l1=dataclasses.replace(TARGET.l1, size=1 << 20))
    with pytest.raises(AxirError, match="compiled for target 'metis'"):
        read_image(data, small)
    # The clock can be set when the program runs.
    read_image(data, TARGET.with_frequency(400_000_000))


def test_tasks_in_the_wrong_queue_are_refused():
    image = programs.assembled(programs.text())
    queues = {**image.cores[0], "load": image.cores[0]["dma0"]}
    with pytest.raises(AxirError, match=r"core 0 load\[0\]: dma runs on dma0 or dma1 or sysdma, not on 'load'"):
        read_image(write_image(dataclasses.replace(image, cores=(queues,))))


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"MZ" * 50, bytes(4096)])
def test_other_files_are_refused(content: bytes, tmp_path: Path):
    file = tmp_path / "model.axm"
    file.write_bytes(content)
    for source in (file, content):
        with pytest.raises(AxirError, match=r"not a (whole )?program image"):
            read_image(source)


def test_other_elf_files_are_refused():
    other = write_elf(ElfFile((Section(".text", np.zeros(64, np.uint8)),), ()))
    with pytest.raises(AxirError, match=r"no readable \.axir\.meta"):
        read_image(other)


def test_missing_files_are_os_errors(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "none.axm")


def test_constants_stay_in_the_file(data: bytes, tmp_path: Path):
    file = tmp_path / "model.axm"
    file.write_bytes(data)
    constant = read_image(file, TARGET).constants[0].data
    base = constant
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)
    assert constant.tolist() == [3] * 128


def test_illegal_fields_name_the_task():
    image = programs.assembled(programs.text())
    task = image.cores[0]["dma0"][0]
    broken = dataclasses.replace(task, instruction=dataclasses.replace(task.instruction, row_bytes=0))
    with pytest.raises(AxirError, match=r"core 0 dma0\[0\]: dma: row_bytes is 0"):
        write_image(dataclasses.replace(image, cores=({**image.cores[0], "dma0": (broken,)},)))


def test_dispatch_order_is_kept():
    image = programs.assembled(programs.text(control=True))
    assert image.dispatch == (("dma0", "depthwise", "dma1"),)
    again = read_image(write_image(image))
    assert again.dispatch == image.dispatch
    assert read_image(write_image(programs.assembled(programs.text()))).dispatch == ()


@pytest.mark.parametrize("order", [("dma0", "depthwise"), ("dma0", "depthwise", "dma0"), ("dma0", "load", "dma1")])
def test_a_dispatch_order_of_other_descriptors_is_refused(order: tuple[str, ...]):
    image = programs.assembled(programs.text(control=True))
    with pytest.raises(AxirError, match=r"contradicts itself: .* dispatch order of core 0"):
        read_image(write_image(dataclasses.replace(image, dispatch=(order,))))


def test_a_dispatch_order_of_unknown_units_is_refused():
    data = write_image(programs.assembled(programs.text(control=True)))
    elf = read_elf(np.frombuffer(data, np.uint8), BytesIO(data))
    unknown = np.full(3, len(isa.UNITS), np.uint8)
    sections = [
        dataclasses.replace(section, data=unknown) if section.name.endswith(".dispatch") else section
        for section in elf.sections[:-3]
    ]
    with pytest.raises(AxirError, match="contradicts itself: IndexError"):
        read_image(write_elf(ElfFile(tuple(sections), elf.symbols)))
