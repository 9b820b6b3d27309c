"""ELF64 little-endian files: written with `struct`, read with pyelftools. Knows nothing of what the sections mean.

The layout is that of the System V ABI, chapter 4 (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

ALIGNMENT = 64
SUMS = ".axir.sums"
DIGEST_BYTES = 32

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_IDENTITY = b"\x7fELF" + bytes([2, 1, 1])  # 64 bit, little endian, version 1
_EXECUTABLE = 2
# EM_NONE: no number is registered for this instruction set, and any other would make tools take it for that machine.
_MACHINE = 0
_PROGBITS, _SYMTAB, _STRTAB, _NOBITS = 1, 2, 3, 8
_WRITE, _ALLOC = 1, 2
_LOAD = 1
_READABLE, _WRITABLE = 4, 2
_OBJECT = 1  # type of a local symbol for data
_ABSOLUTE = 0xFFF1


class DamagedElf(Exception):
    """The bytes are no ELF file, not a whole one, or do not match their checksums; the text says which."""


@dataclass(frozen=True)
class Section:
    """A section's content; with an `address` it occupies memory."""

    name: str
    data: Bytes
    address: int | None = None


@dataclass(frozen=True)
class Segment:
    """Memory that the file does not fill: a program header, and a section without bytes of that name."""

    name: str
    virtual: int
    physical: int
    size: int


@dataclass(frozen=True)
class Symbol:
    """A named place: in the section of that name, or absolute."""

    name: str
    section: str | None
    value: int
    size: int


@dataclass(frozen=True)
class ElfFile:
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    segments: tuple[Segment, ...] = ()


class _Strings:
    """A string table under construction."""

    def __init__(self) -> None:
        self.data = bytearray(1)
        self._offsets = {"": 0}

    def add(self, text: str) -> int:
        if text not in self._offsets:
            self._offsets[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self._offsets[text]


@dataclass
class _Entry:
    """A section as its header describes it."""

    name: str
    kind: int
    data: bytes | bytearray | Bytes
    align: int = 1
    flags: int = 0
    address: int = 0
    link: int = 0
    info: int = 0
    entry_size: int = 0
    offset: int = 0
    empty: int = 0
    """Bytes of memory that the file does not hold."""

    @property
    def span(self) -> tuple[int, int]:
        return self.offset, len(self.data)


def write_elf(elf: ElfFile) -> bytes:
    """The bytes of a file with these sections, then those of the segments, `.symtab`, `.strtab`, `.shstrtab` and the
    checksums.
    """
    entries = [
        _Entry(section.name, _PROGBITS, section.data, ALIGNMENT)
        if section.address is None
        else _Entry(section.name, _PROGBITS, section.data, ALIGNMENT, _ALLOC, section.address)
        for section in elf.sections
    ]
    entries += [
        _Entry(segment.name, _NOBITS, b"", 1, _ALLOC | _WRITE, segment.virtual, empty=segment.size)
        for segment in elf.segments
    ]
    labels, names = _Strings(), _Strings()
    symbols = _symbol_table(elf, labels)
    # A symbol table's `info` is one more than its last local symbol.
    local = {"info": len(elf.symbols) + 1, "entry_size": _SYMBOL.size}
    entries.append(_Entry(".symtab", _SYMTAB, symbols, 8, link=len(entries) + 2, **local))
    entries.append(_Entry(".strtab", _STRTAB, labels.data))
    entries.append(_Entry(".shstrtab", _STRTAB, names.data))
    sums = _Entry(SUMS, _PROGBITS, bytes(DIGEST_BYTES * (len(entries) + 1)), ALIGNMENT)
    name_offsets = [names.add(entry.name) for entry in (*entries, sums)]

    position = _aligned(_HEADER.size + len(elf.segments) * _SEGMENT.size)
    table = bytearray(_SECTION.size)
    for name, e in zip(name_offsets, (*entries, sums), strict=True):
        e.offset = position
        table += _SECTION.pack(
            name, e.kind, e.flags, e.address, e.offset, len(e.data) + e.empty, e.link, e.info, e.align, e.entry_size
        )
        position = _aligned(position + len(e.data))
    places = {e.name: e.offset for e in entries}
    segments = b"".join(
        _SEGMENT.pack(_LOAD, _READABLE | _WRITABLE, places[s.name], s.virtual, s.physical, 0, s.size, 1)
        for s in elf.segments
    )

    count = len(entries) + 2  # with the empty first section
    header = _HEADER.pack(
        _IDENTITY, _EXECUTABLE, _MACHINE, 1, 0, _HEADER.size if segments else 0, position, 0, _HEADER.size,
        _SEGMENT.size if segments else 0, len(elf.segments), _SECTION.size, count, count - 2,
    )  # fmt: skip
    file = np.zeros(position + len(table), np.uint8)
    parts = [(0, header), (_HEADER.size, segments), (position, table), *((e.offset, e.data) for e in entries)]
    for start, data in parts:
        file[start : start + len(data)] = np.frombuffer(data, np.uint8)
    digests = _checksums(file, [entry.span for entry in entries], sums.span)
    file[sums.offset : sums.offset + len(digests)] = np.frombuffer(digests, np.uint8)
    return file.tobytes()


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def _symbol_table(elf: ElfFile, labels: _Strings) -> bytes:
    numbers = {section.name: number for number, section in enumerate(elf.sections, 1)}
    table = bytearray(_SYMBOL.size)
    for symbol in elf.symbols:
        where = _ABSOLUTE if symbol.section is None else numbers[symbol.section]
        table += _SYMBOL.pack(labels.add(symbol.name), _OBJECT, 0, where, symbol.value, symbol.size)
    return bytes(table)


def read_elf(data: Bytes, stream: BinaryIO) -> ElfFile:
    """Parse a file written by `write_elf`, given both as an array, maybe mapped, and as a stream; contents are views.

    Of a segment only its section comes back, which is empty.

    Raises `DamagedElf`. Every byte of the file is covered by a checksum.
    """
    if bytes(data[:4]) != _IDENTITY[:4]:
        raise DamagedElf("it is not an ELF file")
    try:
        headers, symbols = _parse(stream)
    except Exception as error:  # whatever a damaged header makes the parser do
        raise DamagedElf(f"its ELF structure is broken ({type(error).__name__})") from None
    sums = [header for header in headers if header[0] == SUMS]
    if len(sums) != 1 or max(offset + size for _, _, offset, size in headers) > data.size:
        raise DamagedElf("it is cut off, or no AXIR image" if not sums else "it is cut off")
    covered = [header for header in headers if header[0] != SUMS]
    _, _, start, size = sums[0]
    expected = _checksums(data, [header[2:] for header in covered], (start, size))
    found = bytes(data[start : start + size])
    if expected != found:
        broken = [
            name
            for index, (name, *_) in enumerate(covered)
            if expected[index * DIGEST_BYTES :][:DIGEST_BYTES] != found[index * DIGEST_BYTES :][:DIGEST_BYTES]
        ]
        raise DamagedElf(f"the checksum of {broken[0] if broken else 'its headers'} does not match")
    sections = tuple(Section(name, data[start : start + size], address) for name, address, start, size in covered)
    return ElfFile(sections, symbols)


def _parse(stream: BinaryIO) -> tuple[list[tuple[str, int, int, int]], tuple[Symbol, ...]]:
    """(name, address, offset, size) of every section but the first, which is empty, and the symbols."""
    from elftools.elf.elffile import ELFFile

    file = cast(Any, ELFFile(stream))
    sections = [
        (
            str(s.name),
            int(s["sh_addr"]),
            int(s["sh_offset"]),
            0 if s["sh_type"] == "SHT_NOBITS" else int(s["sh_size"]),
        )
        for s in file.iter_sections()
    ]
    symbols: list[Symbol] = []
    for entry in list(file.get_section_by_name(".symtab").iter_symbols())[1:]:
        where = entry["st_shndx"]
        section = None if where == "SHN_ABS" else sections[int(where)][0]
        symbols.append(Symbol(str(entry.name), section, int(entry["st_value"]), int(entry["st_size"])))
    return sections[1:], tuple(symbols)


def _checksums(file: Bytes, spans: Sequence[tuple[int, int]], sums: tuple[int, int]) -> bytes:
    """SHA-256 of every span (offset, size), then of all bytes outside of the spans and of the checksums themselves."""
    digests = [hashlib.sha256(file[start : start + size].data).digest() for start, size in spans]
    rest = hashlib.sha256()
    position = 0
    for start, size in sorted([*spans, sums]):
        rest.update(file[position : max(start, position)].data)
        position = max(position, start + size)
    rest.update(file[position:].data)
    return b"".join(digests) + rest.digest()
