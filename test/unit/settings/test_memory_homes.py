"""Where things live: pages, the program's own descriptors, the sizes and addresses of memories."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from device_builds import checked, session_of
from elftools.elf.elffile import ELFFile
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.simulator import Timing
from axir.backends.aipu.structure import Image
from axir.compiler import CompilerConfig
from axir.compiler.compiled_model import write_compiled_model
from axir.compiler.session import Session
from axir.dialects import aipu
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.target import isa
from axir.target.description import load

METIS = load()
PAGE = METIS.device.page

NETWORK = """
axq.graph @main(%x: tensor<1x64x8x8x!axq.q<0.5 : 3>> "x") -> ("y") {
  %c = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.01> : tensor<64xf32>
    bias dense<7> : tensor<64xi32> strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x8x8x!axq.q<0.5 : 3>> -> tensor<1x64x8x8x!axq.q<0.5 : 0>>
  %p = axq.max_pool %c kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x64x8x8x!axq.q<0.5 : 0>> -> tensor<1x64x4x4x!axq.q<0.5 : 0>>
  %y = axq.conv %p weight dense<-1> : tensor<128x64x1x1xi8> scale dense<0.02> : tensor<128xf32>
    bias dense<-3> : tensor<128xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu>
    : tensor<1x64x4x4x!axq.q<0.5 : 0>> -> tensor<1x128x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x128x4x4x!axq.q<0.5 : 0>>
}
"""


@dataclass(frozen=True)
class Built:
    """A compiled network; its program has been checked and has given the reference's bytes."""

    module: ModuleOp
    session: Session
    data: bytes
    image: Image
    timing: Timing

    @property
    def homes(self) -> dict[str, str]:
        return {code.unit: code.memory for code in self.image.code}

    @property
    def traffic(self) -> tuple[int, int]:
        return self.timing.l2_bytes, self.timing.ddr_bytes


def built(**settings: Any) -> Built:
    session = session_of(**settings)
    module = parse_module(session.context, NETWORK, "network.mlir")
    return Built(module, session, *checked(session, module))


def packed(**settings: Any) -> Built:
    """Without pages and second sets of inputs and outputs: every byte is somebody's."""
    return built(page_memory=False, double_buffer=False, **settings)


def written(result: Built, folder: Path) -> Path:
    write_compiled_model(result.module, result.session, "network", None, folder / "compiled_model")
    return folder / "compiled_model"


def code_bytes(image: Image, *units: str) -> int:
    return isa.DESCRIPTOR_BYTES * sum(len(image.cores[0][unit]) for unit in units or isa.UNITS)


def test_elf_in_ddr() -> None:
    ddr, l2 = packed(), packed(elf_in_ddr=False)
    size = code_bytes(ddr.image)
    assert set(ddr.homes.values()) == {"ddr"}
    assert set(l2.homes.values()) == {"l2"}
    assert ddr.image.memory["ddr"] == size
    assert l2.image.memory == {"l1": ddr.image.memory["l1"], "l2": ddr.image.memory["l2"] + size}
    assert l2.traffic == (ddr.timing.l2_bytes + size, ddr.timing.ddr_bytes - size)
    assert l2.timing.cycles == ddr.timing.cycles


def test_elf_in_ddr_counts_against_the_budget() -> None:
    tight = packed().image.memory["l2"]
    kept = packed(l2_constraint=tight)
    pushed = packed(l2_constraint=tight, elf_in_ddr=False)
    assert not [constant for constant in kept.image.constants if constant.memory == "ddr"]
    assert [constant for constant in pushed.image.constants if constant.memory == "ddr"]
    assert pushed.image.memory["l2"] <= tight


def test_stream_tasklist() -> None:
    streamed, copied = built(), built(stream_tasklist=False)
    size = code_bytes(streamed.image)
    cycles = ceil(size * METIS.device.frequency / METIS.ddr.bandwidth)
    assert streamed.timing.launch == METIS.device.launch
    assert copied.timing.launch == METIS.device.launch + cycles
    assert copied.timing.cycles == streamed.timing.cycles + cycles
    # Out of DDR once either way; into L2 and out of it only where it is copied.
    assert copied.traffic == (streamed.timing.l2_bytes + 2 * size, streamed.timing.ddr_bytes)
    assert all(code.preload for code in copied.image.code)


def test_stream_tasklist_is_about_what_lives_in_ddr() -> None:
    result = built(stream_tasklist=False, dpu_instructions_home="l2")
    assert {code.unit for code in result.image.code if not code.preload} == {"array", "depthwise"}
    assert built(stream_tasklist=False, elf_in_ddr=False).timing.launch == METIS.device.launch


def test_stream_tasklist_takes_l2() -> None:
    tight = packed().image.memory["l2"]
    kept = packed(l2_constraint=tight + 4096, stream_tasklist=False, l2_size_reserved_tasklist=4096)
    pushed = packed(l2_constraint=tight + 4095, stream_tasklist=False, l2_size_reserved_tasklist=4096)
    assert kept.image.memory["l2"] == tight
    assert pushed.image.memory["l2"] < tight


def test_l2_size_reserved_tasklist() -> None:
    size = code_bytes(built().image)
    assert built(stream_tasklist=False, l2_size_reserved_tasklist=size).image.code
    with pytest.raises(AxirError, match=f"{size:,} bytes needed, {size - 1:,} allowed") as caught:
        built(stream_tasklist=False, l2_size_reserved_tasklist=size - 1)
    assert "l2_size_reserved_tasklist" in caught.value.message
    assert "stream_tasklist" in caught.value.notes[0]
    assert built(l2_size_reserved_tasklist=0).image.code
    with pytest.raises(AxirError, match="the task list does not fit l2: 40,000,000 bytes are reserved for it"):
        built(stream_tasklist=False, l2_size_reserved_tasklist=40_000_000)


def test_dpu_instructions_home() -> None:
    default, l2 = built(), built(dpu_instructions_home="l2")
    assert {unit for unit, memory in l2.homes.items() if memory == "l2"} == {"array", "depthwise"}
    moved = code_bytes(l2.image, "array", "depthwise")
    assert l2.traffic == (default.timing.l2_bytes + moved, default.timing.ddr_bytes - moved)


def test_dwpu_instructions_home() -> None:
    default, l2 = built(), built(dwpu_instructions_home="l2")
    assert {unit for unit, memory in l2.homes.items() if memory == "l2"} == {"depthwise"}
    moved = code_bytes(l2.image, "depthwise")
    assert l2.traffic == (default.timing.l2_bytes + moved, default.timing.ddr_bytes - moved)


def placed(image: Image) -> dict[str, list[tuple[int, int]]]:
    """What lives all the time, by memory: (start, end)."""
    found: dict[str, list[tuple[int, int]]] = {"l1": [], "l2": [], "ddr": []}
    for constant in image.constants:
        found[constant.memory].append((constant.address, constant.end))
    for port in (*image.inputs, *image.outputs):
        found[port.memory].append((port.offset, port.offset + port.bytes))
    for code in image.code:
        found[code.memory].append((code.address, image.code_end(code)))
    return found


def test_page_memory() -> None:
    paged, dense = built(), built(page_memory=False)
    for memory in ("l2", "ddr"):
        starts = [start for start, _ in placed(paged.image)[memory]]
        pages = [page for start, end in placed(paged.image)[memory] for page in range(start // PAGE, -(-end // PAGE))]
        assert all(start % PAGE == 0 for start in starts)
        assert len(set(pages)) == len(pages) > 1
        assert any(start % PAGE for start, _ in placed(dense.image)[memory])
        assert paged.image.memory[memory] > dense.image.memory[memory]
    assert paged.image.memory["l1"] == dense.image.memory["l1"]
    assert paged.image.notes["pages"] == {"l2": PAGE, "ddr": PAGE}
    assert "pages" not in dense.image.notes


def test_page_memory_gives_way_where_pages_do_not_fit(tmp_path: Path) -> None:
    needed = packed().image.memory["l2"]
    result = built(l2_constraint=needed, double_buffer=False)
    assert result.image.notes["pages"] == {"l2": 64, "ddr": PAGE}
    assert result.image.memory["l2"] == needed
    written(result, tmp_path)
    assert f"page_memory: l2 is packed by 64 bytes, pages of {PAGE} do not fit" in "\n".join(result.session.log)


def test_ddr_size_max() -> None:
    """A device with less DDR, all of which but the reserve is usable unless ddr_size_used says otherwise."""
    reserved = METIS.ddr.reserved
    size = packed().image.memory["ddr"]
    assert packed(ddr_size_max=reserved + size).image.memory["ddr"] == size
    with pytest.raises(AxirError, match=rf"does not fit ddr: {size:,} bytes needed, {size - 1:,} allowed"):
        packed(ddr_size_max=reserved + size - 1)
    with pytest.raises(AxirError, match="ddr_size_used is 1000000000 bytes, more than ddr_size_max, 900000000 bytes"):
        CompilerConfig(ddr_size_max=900_000_000, ddr_size_used=1_000_000_000)
    with pytest.raises(AxirError, match="ddr_size_max is 2,147,483,648 bytes; target 'metis' has 1,073,741,824"):
        built(ddr_size_max=2 << 30)


def segment(result: Built) -> dict[str, int]:
    """The program header of L1, as other tools read it."""
    elf = ELFFile(BytesIO(result.data))
    (header,) = elf.iter_segments()
    section = elf.get_section_by_name(".axir.l1")
    assert (section["sh_type"], section["sh_addr"]) == ("SHT_NOBITS", header["p_vaddr"])
    assert (section["sh_size"], header["p_filesz"]) == (header["p_memsz"], 0)
    assert header.section_in_segment(section)
    return {key: header[key] for key in ("p_vaddr", "p_paddr", "p_memsz")}


def test_l1_virtual_address() -> None:
    default, other = built(), built(l1_virtual_address=0x4000_0000)
    size = default.image.memory["l1"]
    assert segment(default) == {"p_vaddr": 0x30_0100_0000, "p_paddr": 0x1800_0000, "p_memsz": size}
    assert segment(other) == {"p_vaddr": 0x4000_0000, "p_paddr": 0x1800_0000, "p_memsz": size}
    assert other.image.cores == default.image.cores


def test_l1_core0_physical_address() -> None:
    default, other = built(), built(l1_core0_physical_address=0x2000_0000)
    assert segment(other) == {**segment(default), "p_paddr": 0x2000_0000}
    with pytest.raises(AxirError, match="l1_core0_physical_address"):
        CompilerConfig(l1_core0_physical_address=1 << 63)


def test_code_of_a_program_is_in_its_text() -> None:
    result = built(elf_in_ddr=False)
    code = {op.unit.data: op.address for op in program_of(result.module).walk() if isinstance(op, aipu.CodeOp)}
    assert code == {entry.unit: entry.address for entry in result.image.code}
