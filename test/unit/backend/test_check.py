"""Strictness: for each rule of docs/isa.md, section 12, a program that breaks that rule alone, and a twin without."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest
from unit.backend.programs import BUFFERS, COPY, FETCH, INPUT, RESULT, STORE, WINDOW, assembled, softmax, text

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.structure import Constant, Image
from axir.ir.diagnostics import AxirError
from axir.target.description import Target, load

TARGET = load()


def check(image: Image, target: Target = TARGET) -> None:
    Simulator(image, target).check()


def fetch(row_bytes: int = 640, target: int = 0, name: str = "fetch", unit: str = "dma0", after: str = "") -> str:
    places = f"src = l2 %x[0], dst = l1 %a[{target}]"
    return f"%{name} = aipu.dma on {unit}({places}) {{row_bytes = {row_bytes}}} layer 0 {after}\n"


def fill(pwords: int, target: str) -> str:
    """Write so many pwords, as %fill."""
    fields = f"row_bytes = 64, count0 = {pwords}, dst_step0 = 64"
    return f"%fill = aipu.dma on dma0(src = l2 %x[0], dst = l1 {target}) {{{fields}}} layer 0\n"


def vec(places: str = "out = l1 %b[0]", fields: str = "", after: str = "%fetch", result: str = RESULT) -> str:
    values = f"{{{WINDOW}, {result}{fields}}}"
    return f"%copy = aipu.vec on depthwise(src = l1 %a[0], {places}) {values} layer 1 after({after})\n"


def add(operand: str, out: str = "%b[0]", after: str = "%fetch") -> str:
    steps = ", steps = [load r1 0, add r0 r1], operand0_pitch = 64, operand0_row_pitch = 640"
    return vec(f"operand0 = l1 {operand}, out = l1 {out}", steps, after)


WEIGHTS = "%w = aipu.dma on dma1(src = l2 %x[0], dst = l1 %a[1024]) {row_bytes = 512} layer 0\n"


def load_sets(row: int = 0, name: str = "l", after: str = "%w", clear: int = 1) -> str:
    fields = f"row = {row}, segment_rows = 8, columns = 64, clear = {clear}"
    return f"%{name} = aipu.load on load(src = l1 %a[1024]) {{{fields}}} layer 0 after({after})\n"


def mvm(places: str = "out = l1 %b[0]", fields: str = f", {RESULT}", name: str = "copy", window: str = WINDOW) -> str:
    array = f"{{{window}, row = 0, matrix_rows = 64, columns = 1{fields}}}"
    return f"%{name} = aipu.mvm on array(src = l1 %a[0], {places}) {array} layer 0 after(%l, %fetch)\n"


class Case(NamedTuple):
    """Tasks that break a rule, what the error says, and the same tasks mended."""

    bad: str
    message: str
    good: str


MOVE = "%k = aipu.dma on dma0(src = l1 %a[0], dst = l1 %a[{}]) {{row_bytes = 128}} layer 0\n"
SEND = "%k = aipu.dma on dma1(src = l1 %b[0], dst = l2 %{}[64]) {{row_bytes = 64}} layer 1\n"
COUNTED = "{{row_bytes = 128, count0 = 5, dst_step0 = {}}}"
ROWS = f"%fetch = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {COUNTED} layer 0\n"
PIECE = "%p = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[{1}]) {{row_bytes = {0}}} layer 0\n"
BYTES = "%s = aipu.dma on dma0(src = l1 %a[{}], dst = l1 %b[128]) {{row_bytes = {}}} layer 0\n"
COLUMN = "{{row_bytes = 1, count0 = 9, dst_step0 = {}}}"
ELEMENTS = f"%e = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[3]) {COLUMN} layer 0\n"
LOOKUP = ("table = l1 %b[8192], out = l1 %b[0]", ", steps = [table r0]", "%fill")
LANES = ", parameters = 1, bias = lane 0"
LOADED = FETCH + WEIGHTS + load_sets()

CASES = {
    "unwritten source": Case(
        fetch(576) + COPY + STORE,
        r"core 0 depthwise\[0\] \(layer 1, \"second\"\): src reads l1 \[0x240, 0x280\), which nothing has written",
        fetch() + COPY + STORE,
    ),
    "unwritten operand": Case(
        FETCH + add("%a[640]") + STORE,
        r"operand0 reads l1 \[0x280, 0x2c0\), which nothing has written",
        FETCH + add("%a[0]") + STORE,
    ),
    "unwritten parameters": Case(
        FETCH + vec("params = l1 %a[1024], out = l1 %b[0]", LANES) + STORE,
        r"params reads l1 \[0x400, 0x440\), which nothing has written",
        FETCH + vec("params = l1 %a[0], out = l1 %b[0]", LANES) + STORE,
    ),
    "unwritten table": Case(
        FETCH + fill(130, "%b[8192]") + vec(*LOOKUP) + STORE,
        r"table reads l1 \[0x4880, 0x48c0\), which nothing has written",
        FETCH + fill(131, "%b[8192]") + vec(*LOOKUP) + STORE,
    ),
    "unwritten partial sums": Case(
        LOADED + mvm("partial_in = l1 %b[1024], out = l1 %b[0]") + STORE,
        r"partial_in reads l1 \[0xc00, 0xc40\), which nothing has written",
        LOADED + mvm("partial_out = l1 %b[1024]", "", "m") + mvm("partial_in = l1 %b[1024], out = l1 %b[0]") + STORE,
    ),
    "unwritten weights": Case(
        FETCH + WEIGHTS + load_sets(clear=0) + mvm() + STORE,
        r"core 0 array\[0\] .*: weight sets reads matrix row 8, column block 0, which nothing has written",
        LOADED + mvm() + STORE,
    ),
    "unwritten output": Case(
        FETCH + COPY + STORE.replace("row_bytes = 640", "row_bytes = 576"),
        r"output 'out' has bytes that nothing has written: l2 \[0x4c0, 0x500\)",
        FETCH + COPY + STORE,
    ),
    "write to a constant": Case(
        FETCH + COPY + STORE + SEND.format("c"),
        r"dma1\[1\] .*: dst writes l2 \[0x540, 0x580\), which is part of constant 'c'",
        FETCH + COPY + STORE + SEND.format("y"),
    ),
    "race: read before write": Case(
        FETCH + vec().replace("after(%fetch)", "") + STORE,
        r"depthwise\[0\] .*: src reads l1 \[0x0, 0x40\), in a race with core 0 dma0\[0\] \(layer 0, \"first\"\)",
        FETCH + vec() + STORE,
    ),
    "race: write after read": Case(
        FETCH + COPY + fetch(name="again", unit="dma1", after="after(%fetch)") + STORE,
        r"depthwise\[0\] .*: src reads l1 \[0x0, 0x40\), in a race with core 0 dma1\[0\]",
        FETCH + COPY + fetch(name="again", unit="dma1", after="after(%copy)") + STORE,
    ),
    "race: write after write": Case(
        fetch() + fetch(64, 576, "again", "dma1") + vec(after="%fetch, %again") + STORE,
        r"dma1\[0\] .*: dst writes l1 \[0x240, 0x280\), in a race with core 0 dma0\[0\]",
        fetch() + fetch(64, 576, "again", "dma1", "after(%fetch)") + vec(after="%fetch, %again") + STORE,
    ),
    "race: a chain of waits that begins nowhere": Case(
        FETCH + COPY + fetch(64, 640, "other", "dma1") + fetch(64, 0, "last", "dma1") + STORE,
        r"dma1\[1\] .*: dst writes l1 \[0x0, 0x40\), in a race with core 0 dma0\[0\]",
        FETCH + COPY + fetch(64, 640, "other", "dma1", "after(%copy)") + fetch(64, 0, "last", "dma1") + STORE,
    ),
    "race: weights reloaded too early": Case(
        LOADED + mvm() + STORE + load_sets(name="m"),
        r"array\[0\] .*: weight sets reads matrix row 0, column block 0, in a race with core 0 load\[1\]",
        LOADED + mvm() + STORE + load_sets(name="m", after="%copy"),
    ),
    "reads what it writes": Case(
        FETCH + vec("out = l1 %a[64]") + STORE.replace("%b", "%a"),
        r"depthwise\[0\] .*: out writes l1 \[0x40, 0x80\), which it also reads",
        FETCH + vec("out = l1 %a[0]") + STORE.replace("%b", "%a"),
    ),
    "a softmax in place": Case(
        fill(131, "%b[16384]") + FETCH + softmax(out="%a[0]") + STORE.replace("%b", "%a"),
        r"depthwise\[0\] .*: out writes l1 \[0x0, 0x40\), which it also reads",
        fill(131, "%b[16384]") + FETCH + softmax() + STORE,
    ),
    "a softmax with half a table": Case(
        fill(130, "%b[16384]") + FETCH + softmax() + STORE,
        r"depthwise\[0\] .*: table reads l1 \[0x[0-9a-f]+, 0x[0-9a-f]+\), which nothing has written",
        fill(131, "%b[16384]") + FETCH + softmax() + STORE,
    ),
    "adds an operand in place, moved": Case(
        fetch() + fetch(640, 640, "more") + add("%a[640]", "%a[704]", "%more") + STORE.replace("%b[0]", "%a[704]"),
        r"out writes l1 \[0x2c0, 0x300\), which it also reads",
        fetch() + fetch(640, 640, "more") + add("%a[640]", "%a[640]", "%more") + STORE.replace("%b[0]", "%a[640]"),
    ),
    "accumulates in place, moved": Case(
        LOADED + mvm("partial_out = l1 %b[1024]", "", "m")
        + mvm("partial_in = l1 %b[1024], partial_out = l1 %b[1088]", ""),
        r"partial_out writes l1 \[0xc40, 0xc80\), which it also reads",
        LOADED + mvm("partial_out = l1 %b[1024]", "", "m")
        + mvm("partial_in = l1 %b[1024], partial_out = l1 %b[1024]", "", "n")
        + mvm("partial_in = l1 %b[1024], out = l1 %b[0]") + STORE,
    ),
    "copies onto itself": Case(
        FETCH + MOVE.format(64) + vec(after="%k") + STORE,
        r"dma0\[1\] .*: dst writes l1 \[0x40, 0x80\), which it also reads",
        FETCH + MOVE.format(128) + vec(after="%k") + STORE,
    ),
    "writes a pword again and again": Case(
        FETCH + vec(result="pixels = 10, out_row_pitch = 640, out_pitch = 0") + STORE,
        r"depthwise\[0\] .*: out writes some bytes twice",
        FETCH + vec() + STORE,
    ),
    "unwritten bytes of a pword": Case(
        fetch(576) + PIECE.format(63, 576) + COPY.replace("%fetch", "%p") + STORE,
        r"depthwise\[0\] .*: src reads l1 \[0x240, 0x280\), which nothing has written",
        fetch(576) + PIECE.format(64, 576) + COPY.replace("%fetch", "%p") + STORE,
    ),
    "reads a byte that is not written": Case(
        PIECE.format(70, 1) + BYTES.format(2, 70) + FETCH + COPY + STORE,
        r"dma0\[1\] .*: src reads l1 \[0x40, 0x80\), which nothing has written",
        PIECE.format(70, 1) + BYTES.format(2, 69) + FETCH + COPY + STORE,
    ),
    "writes bytes again and again": Case(
        ELEMENTS.format(0) + FETCH + COPY + STORE,
        r"dma0\[0\] .*: dst writes some bytes twice",
        ELEMENTS.format(1) + FETCH + COPY + STORE,
    ),
    "race within a pword": Case(
        PIECE.format(32, 0) + PIECE.format(32, 32).replace("%p", "%q").replace("dma0", "dma1")
        + COPY.replace("%fetch", "%p, %q"),
        r"dma1\[0\] .*: dst writes l1 \[0x0, 0x40\), in a race with core 0 dma0\[0\]|race with core 0 dma1",
        fetch(576, 64) + PIECE.format(32, 0) + PIECE.format(32, 32).replace("%p", "%q") + COPY.replace("%fetch", "%q")
        + STORE,
    ),
    "writes rows into each other": Case(
        ROWS.format(64) + COPY + STORE,
        r"dma0\[0\] .*: dst writes some bytes twice",
        ROWS.format(128) + COPY + STORE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rules(name: str):
    case = CASES[name]
    with pytest.raises(AxirError, match=case.message):
        check(assembled(text(case.bad)))
    check(assembled(text(case.good)))


@pytest.mark.parametrize(
    ("window", "reads"),
    [
        # Which of the ten pwords of the row a window needs; the last one is not fetched.
        ("src_rows = 1, y0 = 0, x0 = 0, x_step = 64, blocks = 1, vectors = 9", False),
        ("src_rows = 1, y0 = 0, x0 = 0, x_step = 64, blocks = 1, vectors = 10", True),
        ("src_rows = 1, y0 = 0, x0 = 0, x_step = 128, blocks = 1, vectors = 5", False),
        ("src_rows = 1, y0 = 0, x0 = 64, x_step = 128, blocks = 1, vectors = 5", True),
        ("src_rows = 1, y0 = 0, x0 = 128, x_step = 0, blocks = 8, vectors = 1", True),
        ("src_rows = 1, y0 = 0, x0 = 64, x_step = 0, blocks = 8, vectors = 1", False),
        ("src_rows = 1, y0 = 0, x0 = 513, x_step = 0, blocks = 1, vectors = 1", True),
        ("src_rows = 1, y0 = 0, x0 = 512, x_step = 0, blocks = 1, vectors = 1", False),
        # Rows and bytes outside are padding.
        ("src_rows = 1, y0 = 1, x0 = 0, x_step = 64, blocks = 1, vectors = 10", False),
        ("src_rows = 1, y0 = -1, x0 = 0, x_step = 64, blocks = 1, vectors = 10", False),
        ("src_rows = 0, y0 = 0, x0 = 0, x_step = 64, blocks = 1, vectors = 10", False),
        ("src_rows = 1, y0 = 0, x0 = -64, x_step = 64, blocks = 1, vectors = 10", False),
        ("src_rows = 1, y0 = 0, x0 = -64, x_step = 64, blocks = 1, vectors = 11", True),
    ],
)
def test_windows_count_what_they_reach(window: str, reads: bool):
    vectors = int(window.rsplit(" ", 1)[1])
    pitch = 512 if "blocks = 8" in window else 64
    fields = f"{window}, row_bytes = 640, row_pitch = 640, rows = 1, pixels = {vectors}, out_pitch = {pitch}"
    tasks = f"%copy = aipu.vec on depthwise(src = l1 %a[0], out = l1 %b[0]) {{{fields}}} layer 1 after(%fetch)\n"
    image = assembled(text(fetch(576) + tasks, ports=INPUT))
    if reads:
        with pytest.raises(AxirError, match=r"src reads l1 \[0x240, 0x280\), which nothing has written"):
            check(image)
    else:
        check(image)


def test_a_part_of_a_kernel_walk_reads_only_that():
    window = (
        "src_rows = 1, row_bytes = 640, row_pitch = 640, y0 = 0, x0 = 0, x_step = 0, tap_columns = 10, tap_step = 64, "
        "blocks = 1, rows = 1, vectors = 1"
    )

    def program(slot: int) -> Image:
        walk = mvm(fields=f", slot = {slot}", window=window).replace("matrix_rows = 64", "matrix_rows = 512")
        return assembled(text(fetch(576) + WEIGHTS + load_sets() + walk, ports=INPUT))

    check(program(0))
    check(program(1))
    with pytest.raises(AxirError, match=r"src reads l1 \[0x240, 0x280\)"):
        check(program(2))


def test_addresses_outside_of_the_region():
    image = assembled(text())
    small = dataclasses.replace(image, memory={**image.memory, "l1": 2048 + 576})
    with pytest.raises(
        AxirError, match=r"depthwise\[0\] .*: out reaches l1 \[0x800, 0xa80\), outside of .* 2624 bytes"
    ):
        check(small)
    check(image)


def test_regions_larger_than_the_memory():
    image = assembled(text())
    with pytest.raises(AxirError, match="needs 4194368 bytes of l1, metis has 4194304"):
        check(dataclasses.replace(image, memory={**image.memory, "l1": TARGET.l1.size + 64}))
    check(dataclasses.replace(image, memory={**image.memory, "l1": TARGET.l1.size}))


def test_weight_sets_that_the_device_does_not_have():
    target = dataclasses.replace(TARGET, array=dataclasses.replace(TARGET.array, weight_sets=1))
    source = text(FETCH + WEIGHTS + load_sets(row=508, clear=0) + COPY + STORE)
    with pytest.raises(
        AxirError, match=r"load\[0\] .*: weight sets reaches matrix rows 508 to 515, outside of the 1 sets"
    ):
        check(assembled(source, target), target)
    check(assembled(source))


def test_more_cores_than_the_device_has():
    target = dataclasses.replace(TARGET, device=dataclasses.replace(TARGET.device, cores=1))
    source = text(more=f"aipu.core 1 {{\n{FETCH}}}\n")
    with pytest.raises(AxirError, match="is for 2 cores, metis has 1"):
        check(assembled(source), target)
    check(assembled(source))


def test_more_dma_channels_than_the_device_has():
    target = dataclasses.replace(TARGET, dma=dataclasses.replace(TARGET.dma, channels=1))
    with pytest.raises(AxirError, match=r"dma1\[0\] .*: metis has 1 DMA channels"):
        check(assembled(text()), target)


def test_more_taps_than_the_device_has():
    def depthwise(taps: int, mode: str) -> Image:
        weights = "weights = l1 %b[1024], " if mode == "mac" else ""
        fields = f", tap_rows = {taps}, tap_row_step = 0, mode = {mode}"
        task = vec(f"{weights}out = l1 %b[0]", fields, "%fill").replace("aipu.vec", "aipu.depthwise")
        return assembled(text(FETCH + fill(200, "%b[1024]") + task + STORE))

    with pytest.raises(AxirError, match=r"depthwise\[0\] .*: has 128 taps, metis has 127"):
        check(depthwise(128, "mac"))
    check(depthwise(127, "mac"))
    # The limit is that of the weights.
    check(depthwise(128, "sum"))


def test_deadlocks_name_every_blocked_task():
    image = assembled(text())
    fetch, = image.cores[0]["dma0"]  # fmt: skip
    blocked = dataclasses.replace(fetch, waits=(Wait(0, "dma1", 1),))
    with pytest.raises(AxirError, match="deadlock") as caught:
        check(dataclasses.replace(image, cores=({**image.cores[0], "dma0": (blocked,)},)))
    assert caught.value.notes == (
        'core 0 dma0[0] (layer 0, "first") waits for core 0 dma1[0]',
        'core 0 dma1[0] (layer 1, "second") waits for core 0 depthwise[0]',
        'core 0 depthwise[0] (layer 1, "second") waits for core 0 dma0[0]',
    )


@pytest.mark.parametrize(
    ("wait", "reason"),
    [
        (Wait(0, "array", 1), "1 tasks of core 0 array, which has 0"),
        (Wait(0, "dma0", 2), "2 tasks of core 0 dma0, which has 1"),
        (Wait(3, "dma0", 1), "1 tasks of core 3, which the program does not use"),
    ],
)
def test_waits_that_cannot_be_met_are_deadlocks(wait: Wait, reason: str):
    image = assembled(text())
    (copy,) = image.cores[0]["depthwise"]
    blocked = dataclasses.replace(copy, waits=(wait,))
    with pytest.raises(AxirError, match="deadlock") as caught:
        check(dataclasses.replace(image, cores=({**image.cores[0], "depthwise": (blocked,)},)))
    assert caught.value.notes[1] == f'core 0 depthwise[0] (layer 1, "second") waits for {reason}'


def test_cores_race_in_shared_memory():
    store = "%k = aipu.dma on dma0(src = l2 %x[0], dst = l2 %y[{}]) {{row_bytes = 64}} layer 0\n"
    buffers = BUFFERS.replace('"y" bytes 640 at 640', '"y" bytes 704 at 1408')

    def program(offset: int) -> Image:
        return assembled(text(buffers=buffers, more=f"aipu.core 1 {{\n{store.format(offset)}}}\n"))

    with pytest.raises(
        AxirError, match=r"dst writes l2 \[0x580, 0x5c0\), in a race with core 0 dma1\[0\]|race with core 1"
    ):
        check(program(0))
    check(program(640))


def test_cores_do_not_share_l1():
    more = "aipu.core 1 {\n%k = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 64} layer 0\n}\n"
    with pytest.raises(AxirError, match=r"core 1 dma0\[0\] .*: src reads l1 \[0x0, 0x40\), which nothing has written"):
        check(assembled(text(more=more)))


def test_a_wait_between_cores_orders_them():
    """The image can say it, though the dialect cannot."""
    core = "%k = aipu.dma on dma0(src = l2 %y[0], dst = l1 %a[0]) {row_bytes = 64} layer 1\n"
    image = assembled(text(more=f"aipu.core 1 {{\n{core}}}\n"))
    with pytest.raises(
        AxirError, match=r"core 1 dma0\[0\] .*: src reads l2 \[0x280, 0x2c0\)|in a race with core 1 dma0"
    ):
        check(image)
    (task,) = image.cores[1]["dma0"]
    ordered = dataclasses.replace(task, waits=(Wait(0, "dma1", 1),))
    check(dataclasses.replace(image, cores=(image.cores[0], {**image.cores[1], "dma0": (ordered,)})))


def test_inputs_over_constants():
    image = assembled(text())
    port = image.inputs[0]._replace(offset=768)
    with pytest.raises(AxirError, match="input 'in' lies over a constant in l2"):
        check(dataclasses.replace(image, inputs=(port,)))


def test_ports_outside_of_the_region():
    image = assembled(text())
    port = image.outputs[0]._replace(offset=832)
    with pytest.raises(AxirError, match="port 'out' lies outside of the program's l2"):
        check(dataclasses.replace(image, outputs=(port,)))


def test_constants_outside_of_the_region():
    image = assembled(text())
    constant = Constant("c", "l2", 1408, np.zeros(64, np.int8))
    with pytest.raises(AxirError, match="constant 'c' lies outside of the program's l2"):
        check(dataclasses.replace(image, constants=(constant,)))


def test_overlapping_constants():
    more = '  %e = aipu.buffer "e" bytes 128 at 1344 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>\n'
    with pytest.raises(AxirError, match="constants 'c' and 'e' overlap"):
        assembled(text(buffers=BUFFERS + more))
    assembled(text(buffers=BUFFERS + more.replace("1344", "1408")))


def test_accesses_beyond_their_buffer():
    with pytest.raises(AxirError, match="dst reaches 2112 bytes into buffer 'a', which has 2048"):
        assembled(text(fetch(target=1472) + COPY + STORE))
    assembled(text(fetch(target=1408) + COPY + STORE))


def test_control_dispatch_orders_what_tokens_would_have_to():
    """The second store waits for nothing itself; the first, which is handed out before it, has waited for %copy."""
    more = "%again = aipu.dma on dma0(src = l1 %b[0], dst = l2 %y[0]) {row_bytes = 64} layer 1 after(%store)\n"
    late = "%read = aipu.load on load(src = l1 %b[0]) {row = 0, segment_rows = 8, columns = 64} layer 1\n"
    check(assembled(text(FETCH + COPY + STORE + more + late, control=True)))
    with pytest.raises(AxirError, match=r"load\[0\] .* which nothing has written"):
        check(assembled(text(FETCH + COPY + STORE + more + late)))
    with pytest.raises(AxirError, match="in a race with core 0 depthwise"):
        check(assembled(text(FETCH + COPY + late + STORE + more, control=True)))


def test_the_system_dma_races_like_others():
    use = "%use = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 64} layer 0\n"
    bring = "aipu.dma on sysdma(src = l2 %x[64], dst = l2 %x[0]) {row_bytes = 64} layer 0"
    check(assembled(text(use + bring + " after(%use)\n", ports=INPUT)))
    with pytest.raises(AxirError, match=r"core 0 sysdma\[0\] .* in a race with core 0 dma0\[0\]"):
        check(assembled(text(use + bring + "\n", ports=INPUT)))
