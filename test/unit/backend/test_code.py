"""The descriptors' own place in memory: in the file, in the text, in the checks, in the time; and where L1 is."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from io import BytesIO
from math import ceil
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from unit.backend.programs import BUFFERS, COPY, FETCH, INPUT, OUTPUT, STORE, assembled, text

from axir.backends.aipu.disassemble import disassemble
from axir.backends.aipu.image import read_image, write_image
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.simulator.frames import launch_cycles
from axir.backends.aipu.structure import Code, Image
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.printing import print_module
from axir.target.description import load

TARGET = load()
HOMES = 'aipu.code core 0 on "dma0" in "l2" at 1408\naipu.code core 0 on "depthwise" in "ddr" at 4096 preload\n'


def program(code: str = HOMES, tasks: str = FETCH + COPY + STORE, buffers: str = BUFFERS) -> Image:
    return assembled(text(tasks, buffers=buffers, ports=INPUT + OUTPUT + code))


def check(image: Image) -> None:
    Simulator(image, TARGET).check()


def test_memory_includes_them():
    image = program()
    assert image.code == (Code(0, "dma0", "l2", 1408, False), Code(0, "depthwise", "ddr", 4096, True))
    assert (image.memory["l2"], image.memory["ddr"]) == (1408 + 256, 4096 + 256)
    check(image)


def test_the_file_has_their_addresses():
    data = write_image(program())
    elf = ELFFile(BytesIO(data))
    found = {name: elf.get_section_by_name(f".axir.core0.{name}") for name in ("dma0", "depthwise", "dma1")}
    assert [(found[name]["sh_addr"], found[name]["sh_flags"]) for name in found] == [(1408, 2), (4096, 2), (0, 0)]
    assert read_image(data).code == program().code
    assert write_image(read_image(data)) == data


def test_the_text_has_them_too():
    ctx = make_context()
    module = disassemble(program(), ctx.store)
    printed = print_module(module, debuginfo=False)
    assert HOMES.splitlines() == [line.strip() for line in printed.splitlines() if "aipu.code" in line]
    assert assembled(printed, context=ctx).memory == program().memory


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (Code(0, "dma0", "l2", 1344, False), "the descriptors of core 0 dma0 lie over constant 'c' in l2"),
        (Code(0, "dma0", "l2", 448, False), "the descriptors of core 0 dma0 lie over input 'in' in l2"),
        (Code(0, "dma0", "l2", 640, False), "the descriptors of core 0 dma0 lie over output 'out' in l2"),
        (Code(0, "dma0", "ddr", 3904, False), "core 0 depthwise lie over the descriptors of core 0 dma0 in ddr"),
        (Code(0, "dma0", "l2", 1472, False), "the descriptors of core 0 dma0 lie outside of the program's l2"),
        (Code(0, "dma0", "l2", 1400, False), "the descriptors of core 0 dma0 .* not on a pword"),
    ],
)
def test_they_share_bytes_with_nothing(code: Code, message: str):
    image = program()
    with pytest.raises(AxirError, match=message):
        check(dataclasses.replace(image, code=(code, image.code[1])))


ALL = BUFFERS + '%all = aipu.buffer "all" bytes 4096 at 0 : !aipu.buffer<l2>\n'


def test_tasks_may_not_write_them():
    spoil = "%s = aipu.dma on dma1(src = l1 %b[0], dst = l2 %all[{}]) {{row_bytes = 64}} layer 1\n"
    check(program(tasks=FETCH + COPY + STORE + spoil.format(1408 + 256), buffers=ALL))
    with pytest.raises(AxirError, match=r"dst writes l2 \[0x640, 0x680\), which holds the descriptors of core 0 dma0"):
        check(program(tasks=FETCH + COPY + STORE + spoil.format(1408 + 192), buffers=ALL))


def test_tasks_may_not_read_them():
    peek = "%p = aipu.dma on dma0(src = l2 %all[1408], dst = l1 %b[1024]) {row_bytes = 64} layer 1\n"
    with pytest.raises(AxirError, match=r"src reads l2 \[0x580, 0x5c0\), which holds the descriptors of core 0 dma0"):
        check(program(tasks=FETCH + peek + COPY + STORE, buffers=ALL))


def test_preloaded_lists_need_room_in_l2():
    image = program()
    exactly = dataclasses.replace(TARGET, l2=dataclasses.replace(TARGET.l2, size=image.memory["l2"] + 256))
    Simulator(image, exactly).check()
    less = dataclasses.replace(TARGET, l2=dataclasses.replace(TARGET.l2, size=image.memory["l2"] + 255))
    with pytest.raises(AxirError, match="needs 1664 bytes of l2 and 256 for its task lists, metis has 1919"):
        Simulator(image, less).check()


def test_a_reader_refuses_a_home_that_is_none():
    image = program()
    with pytest.raises(AxirError, match="contradicts itself"):
        read_image(write_image(dataclasses.replace(image, code=(Code(0, "dma0", "l1", 0, False),))))


def test_their_time_and_traffic():
    bare, image = Simulator(program(""), TARGET).timing(), program()
    timing = Simulator(image, TARGET).timing()
    # 256 bytes streamed from L2; 256 copied from DDR to L2 and read there.
    assert (timing.l2_bytes - bare.l2_bytes, timing.ddr_bytes - bare.ddr_bytes) == (256 + 2 * 256, 256)
    cycles = ceil(256 * TARGET.device.frequency / TARGET.ddr.bandwidth)
    assert launch_cycles(image, TARGET) == timing.launch == TARGET.device.launch + cycles
    assert timing.cycles == bare.cycles + cycles


def test_the_program_header_of_l1():
    """One header for readelf; every bit of it is covered by the checksums, and nothing else depends on it."""
    notes = {"l1_virtual_address": 0x30_0100_0000, "l1_core0_physical_address": 0x1800_0000}
    image = dataclasses.replace(program(), notes=notes)
    data = write_image(image)
    (header,) = ELFFile(BytesIO(data)).iter_segments()
    assert (header["p_type"], header["p_vaddr"], header["p_paddr"]) == ("PT_LOAD", 0x30_0100_0000, 0x1800_0000)
    assert (header["p_memsz"], header["p_filesz"]) == (image.memory["l1"], 0)
    assert read_image(data).cores == image.cores
    assert write_image(read_image(data)) == data
    for position in range(64, 64 + 56):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(AxirError, match="checksum of its headers"):
            read_image(bytes(damaged))


@pytest.mark.parametrize("missing", ["l1_virtual_address", "l1_core0_physical_address"])
def test_no_program_header_without_both_addresses(missing: str):
    notes = {"l1_virtual_address": 0, "l1_core0_physical_address": 0}
    notes.pop(missing)
    data = write_image(dataclasses.replace(program(), notes=notes))
    assert ELFFile(BytesIO(data)).num_segments() == 0


def test_readelf_shows_it(tmp_path: Path):
    if shutil.which("readelf") is None:
        pytest.skip("no readelf")
    notes = {"l1_virtual_address": 0x30_0100_0000, "l1_core0_physical_address": 0x1800_0000}
    file = tmp_path / "model.axm"
    file.write_bytes(write_image(dataclasses.replace(program(), notes=notes)))
    done = subprocess.run(["readelf", "--all", "--wide", file], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "Warning" not in done.stdout
    assert re.search(r"LOAD +0x\w+ 0x0000003001000000 0x0000000018000000 0x000000 0x\w+ RW", done.stdout)
