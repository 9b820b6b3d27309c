"""The program image: an ELF file with one section a queue and one a constant (docs/isa.md, "Image").

.axir.meta                 JSON: what is not a descriptor and not data
.axir.core<c>.<unit>       the descriptors of one queue; with an address where they live in the program's memory
.axir.core<c>.dispatch     the units of a core's descriptors in dispatch order, where its control core hands them out
.axir.data.<memory>.<n>    bytes loaded at the section's address; a symbol gives their label
.axir.l1                   no bytes: where L1 of core 0 is, with a program header
.axir.sums                 SHA-256 of every section and of the rest
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from axir.backends.aipu.elf import Bytes, DamagedElf, ElfFile, Section, Segment, Symbol, read_elf, write_elf
from axir.backends.aipu.encode import decode_task, encode_task
from axir.backends.aipu.structure import Code, Constant, Image, Layer, Port, Queues, Task, TaskId, target_digest
from axir.ir.diagnostics import AxirError
from axir.target import isa
from axir.target.description import Target
from axir.target.isa import Memory, Mode

# Running an image must not wait for xDSL.
if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from axir.dialects.aipu import ProgramOp
    from axir.ir.store import WeightStore

__all__ = ["Image", "build_image", "read_image", "write_image"]

FORMAT = 3
"""Raised whenever an older reader would misunderstand an image."""

_MAKE_AGAIN = "an image is what axc writes as compiled_model/model.axm: compile the model again, or copy the file again"


def build_image(program: ModuleOp | ProgramOp, store: WeightStore, target: Target) -> bytes:
    """The image of a planned and scheduled program (or of a module that holds one).

    The program's discardable attributes become the image's notes. Raises `AxirError` where a buffer has no address, a
    field is out of range, or the program is for another target.
    """
    from axir.backends.aipu.assemble import assemble, program_of

    return write_image(assemble(program_of(program), store, target))


def write_image(image: Image) -> bytes:
    """Encode; equal images give equal bytes."""
    meta = json.dumps(_meta(image), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    sections = [Section(".axir.meta", _bytes(meta.encode()))]
    homes = {(code.core, code.unit): code.address for code in image.code}
    for core, queues in enumerate(image.cores):
        for unit in isa.UNITS:
            code = b"".join(_encode(task, TaskId(core, unit, number)) for number, task in enumerate(queues[unit]))
            sections.append(Section(f".axir.core{core}.{unit}", _bytes(code), homes.get((core, unit))))
        if image.dispatch:
            numbers = bytes(isa.UNITS.index(unit) for unit in image.dispatch[core])
            sections.append(Section(f".axir.core{core}.dispatch", _bytes(numbers)))
    symbols: list[Symbol] = []
    for number, constant in enumerate(image.constants):
        name = f".axir.data.{constant.memory}.{number}"
        sections.append(Section(name, constant.data.view(np.uint8), constant.address))
        symbols.append(Symbol(constant.label, name, constant.address, constant.data.size))
    symbols += [Symbol(_symbol(port), None, port.offset, port.bytes) for port in (*image.inputs, *image.outputs)]
    return write_elf(ElfFile(tuple(sections), tuple(symbols), _segments(image)))


def _symbol(port: Port) -> str:
    return f"{port.label}.{port.frame}" if port.frame else port.label


def _segments(image: Image) -> tuple[Segment, ...]:
    """The L1 of core 0, where the notes tell its addresses: for readelf and debuggers, no loader needs it."""
    virtual, physical = (image.notes.get(name) for name in ("l1_virtual_address", "l1_core0_physical_address"))
    size = image.memory.get("l1", 0)
    if virtual is None or physical is None or size == 0:
        return ()
    return (Segment(".axir.l1", int(virtual), int(physical), size),)


def read_image(source: bytes | Path, target: Target | None = None) -> Image:
    """Decode and check an image; of a path, the constants stay in the file until they are used (memory-mapped).

    `target` is the device it shall run on. Raises `OSError` when the file cannot be read, and `AxirError` when it is no
    image, is damaged, has another format version, is for another target, or holds anything that is not legal.
    """
    if isinstance(source, Path):
        if source.stat().st_size == 0:
            raise AxirError(f"{source}: not a program image: it is empty", notes=(_MAKE_AGAIN,))
        with source.open("rb") as stream:
            return _read(np.memmap(source, np.uint8, "r"), stream, str(source), target)
    return _read(_bytes(source), BytesIO(source), "image", target)


def _read(data: Bytes, stream: BinaryIO, name: str, target: Target | None) -> Image:
    try:
        elf = read_elf(data, stream)
    except DamagedElf as error:
        raise AxirError(f"{name}: not a whole program image: {error}", notes=(_MAKE_AGAIN,)) from None
    sections = {section.name: section for section in elf.sections}
    meta = _parse_meta(sections, name)
    if target is not None and meta["digest"] != target_digest(target):
        raise AxirError(
            f"{name}: compiled for target '{meta['target']}', figures {meta['digest']}; this is '{target.name}', "
            f"figures {target_digest(target)}",
            notes=("use the target description that the model was compiled with, or compile it again for this one",),
        )
    try:
        cores = tuple(_queues(sections, core, len(meta["layers"])) for core in range(meta["cores"]))
        return Image(
            meta["name"],
            meta["target"],
            meta["digest"],
            tuple(Layer(*layer) for layer in meta["layers"]),
            tuple(_port(entry) for entry in meta["inputs"]),
            tuple(_port(entry) for entry in meta["outputs"]),
            meta["memory"],
            _constants(elf),
            cores,
            tuple(_code(sections, *entry) for entry in meta["code"]),
            _dispatch(sections, cores, meta["control_dispatch"]),
            meta["notes"],
            _mode(meta["mode"]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise AxirError(
            f"{name}: the image contradicts itself: {type(error).__name__} {error}", notes=(_MAKE_AGAIN,)
        ) from None
    except AxirError as error:
        raise AxirError(f"{name}: {error.message}", notes=error.notes) from None


def _bytes(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8)


def _encode(task: Task, where: TaskId) -> bytes:
    try:
        return encode_task(task.instruction, task.waits, task.layer)
    except AxirError as error:
        raise AxirError(f"{where}: {error.message}") from None


def _meta(image: Image) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": image.name,
        "target": image.target,
        "digest": image.target_digest,
        "cores": len(image.cores),
        "mode": image.mode,
        "layers": image.layers,
        "inputs": [port._asdict() for port in image.inputs],
        "outputs": [port._asdict() for port in image.outputs],
        "memory": {memory: image.memory[memory] for memory in isa.MEMORIES if memory in image.memory},
        "control_dispatch": bool(image.dispatch),
        "code": [[code.core, code.unit, code.memory, code.preload] for code in image.code],
        "notes": image.notes,
    }


def _parse_meta(sections: dict[str, Section], name: str) -> dict[str, Any]:
    """The decoded `.axir.meta`, of this format version."""
    try:
        meta = cast(dict[str, Any], json.loads(sections[".axir.meta"].data.tobytes()))
        version = meta["format"]
    except (KeyError, TypeError, ValueError):
        raise AxirError(f"{name}: not a program image: it has no readable .axir.meta", notes=(_MAKE_AGAIN,)) from None
    if version != FORMAT:
        raise AxirError(
            f"{name}: image format {version}, this AXIR reads format {FORMAT}",
            notes=("compile the model with the AXIR that runs it",),
        )
    return meta


def _port(entry: dict[str, Any]) -> Port:
    fields: dict[str, Any] = {
        key: tuple(cast(list[Any], value)) if isinstance(value, list) else value for key, value in entry.items()
    }
    fields["runs"] = tuple(tuple(run) for run in entry["runs"])
    return Port(**fields)


def _mode(name: Mode) -> Mode:
    if name not in isa.MODES:
        raise ValueError(f"of mode {name}, there are {', '.join(isa.MODES)}")
    return name


def _constants(elf: ElfFile) -> tuple[Constant, ...]:
    labels = {symbol.section: symbol.name for symbol in elf.symbols}
    return tuple(
        Constant(
            labels[section.name], cast(Memory, section.name.split(".")[3]), section.address, section.data.view(np.int8)
        )
        for section in elf.sections
        if section.name.startswith(".axir.data.") and section.address is not None
    )


def _code(sections: dict[str, Section], core: int, unit: str, memory: Memory, preload: bool) -> Code:
    address = sections[f".axir.core{core}.{unit}"].address
    if address is None or memory not in isa.CODE_MEMORIES:
        raise ValueError(f"the code of core {core} {unit} is in no memory")
    return Code(core, unit, memory, address, preload)


def _dispatch(
    sections: dict[str, Section], cores: Sequence[Queues], control_dispatch: bool
) -> tuple[tuple[str, ...], ...]:
    if not control_dispatch:
        return ()
    found: list[tuple[str, ...]] = []
    for core, queues in enumerate(cores):
        units = tuple(isa.UNITS[number] for number in sections[f".axir.core{core}.dispatch"].data.tobytes())
        if Counter(units) != {unit: len(tasks) for unit, tasks in queues.items() if tasks}:
            raise ValueError(f"the dispatch order of core {core} does not name each of its descriptors once")
        found.append(units)
    return tuple(found)


def _queues(sections: dict[str, Section], core: int, layers: int) -> Queues:
    return {unit: _queue(sections[f".axir.core{core}.{unit}"].data, core, unit, layers) for unit in isa.UNITS}


def _queue(code: Bytes, core: int, unit: str, layers: int) -> tuple[Task, ...]:
    tasks: list[Task] = []
    for number in range(code.size // isa.DESCRIPTOR_BYTES):
        where = TaskId(core, unit, number)
        start = number * isa.DESCRIPTOR_BYTES
        try:
            task = Task(*decode_task(code[start : start + isa.DESCRIPTOR_BYTES].tobytes()))
        except AxirError as error:
            raise AxirError(f"{where}: {error.message}", notes=error.notes) from None
        misplaced = task.instruction.unit_problem(unit)
        if misplaced:
            raise AxirError(f"{where}: {task.instruction.mnemonic} {misplaced}")
        if task.layer >= layers:
            raise AxirError(f"{where}: names layer {task.layer}, the image lists {layers}")
        tasks.append(task)
    if code.size % isa.DESCRIPTOR_BYTES:
        raise AxirError(f"core {core} {unit}: {code.size} bytes are no whole number of descriptors")
    return tuple(tasks)
