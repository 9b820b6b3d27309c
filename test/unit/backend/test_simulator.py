"""Whole images on the device model: ports, frames, cores, constants."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from unit.backend.programs import BUFFERS, COPY, FETCH, STORE, assembled, text

from axir.backends.aipu.image import read_image, write_image
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.structure import Image
from axir.ir.diagnostics import AxirError
from axir.target.description import load

TARGET = load()
INT8 = np.arange(-15, 15, dtype=np.int8).reshape(1, 3, 1, 10)


def run(image: Image, *inputs: np.ndarray) -> list[np.ndarray]:
    return Simulator(read_image(write_image(image), TARGET), TARGET).run(inputs)


def test_a_frame():
    (output,) = run(assembled(text()), INT8)
    assert output.dtype == np.int8
    assert np.array_equal(output, INT8)


def test_frames_do_not_see_each_other():
    simulator = Simulator(assembled(text()), TARGET)
    for offset in range(4):
        frame = INT8 + np.int8(offset)
        assert np.array_equal(simulator.run([frame])[0], frame)


def test_results_do_not_change_with_the_next_frame():
    simulator = Simulator(assembled(text()), TARGET)
    (first,) = simulator.run([INT8])
    simulator.run([INT8 + np.int8(1)])
    assert np.array_equal(first, INT8)


def test_two_simulators_of_one_image_are_two_devices():
    image = assembled(text())
    one, two = Simulator(image, TARGET), Simulator(image, TARGET)
    one.run([INT8])
    assert np.array_equal(two.run([INT8 * 0])[0], INT8 * 0)


def test_channels_lie_where_the_layout_says():
    """The input has its channels at 1 and from 32, the output reads bytes 0 to 2 of a pixel: gaps are zeros."""
    source = text().replace("channels [3 at 0]", "channels [1 at 1, 2 at 32]", 1)
    (output,) = run(assembled(source), INT8)
    assert np.array_equal(output[:, 1], INT8[:, 0])
    assert not output[:, [0, 2]].any()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "the program has 1 inputs, 0 were given"),
        ([INT8, INT8], "the program has 1 inputs, 2 were given"),
        ([INT8[0]], r"input 'in' is int8 \[3, 1, 10\], the program takes int8 \[1, 3, 1, 10\]"),
        ([INT8.astype(np.uint8)], "input 'in' is uint8"),
    ],
)
def test_inputs_must_fit(inputs: list[np.ndarray], message: str):
    with pytest.raises(AxirError, match=message):
        run(assembled(text()), *inputs)


def test_programs_are_checked_before_they_run():
    image = assembled(text(FETCH + STORE.replace("after(%copy)", "")))
    with pytest.raises(AxirError, match="src reads l1"):
        run(image, INT8)


def test_ports_in_l1_are_those_of_core_0():
    ports = text().replace('aipu.input "in" %x[0]', 'aipu.input "in" %a[0]').replace('"out" %y[0]', '"out" %b[0]')
    source = ports.replace("!axq.q<0.5 : 0>> : !aipu.buffer<l2>", "!axq.q<0.5 : 0>> : !aipu.buffer<l1>")
    vec = COPY.replace(" after(%fetch)", "")
    (output,) = run(assembled(source.replace(FETCH, "").replace(COPY, vec).replace(STORE, "")), INT8)
    assert np.array_equal(output, INT8)


def test_each_core_has_constants_of_its_own_in_l1():
    """Two cores send the constant that lies in their L1 to the two halves of an output."""
    buffers = BUFFERS.replace("bytes 2048 at 0 :", "bytes 2048 at 64 :").replace("at 2048", "at 2112")
    buffers += '  %k = aipu.buffer "k" bytes 64 at 0 data dense<5> : tensor<64xi8> : !aipu.buffer<l1>\n'
    task = "aipu.dma on dma0(src = l1 %k[0], dst = l2 %y[{0}]) {{row_bytes = 64, count0 = 5, dst_step0 = 64}} layer 0\n"
    source = text(task.format(0), buffers=buffers, more=f"aipu.core 1 {{\n{task.format(320)}}}\n")
    (output,) = run(assembled(source), INT8)
    assert (output == 5).all()


def test_cores_work_on_their_own_memory():
    """Both cores use the same addresses in L1, for different halves."""
    core = (
        "%f = aipu.dma on dma0(src = l2 %x[{0}], dst = l1 %a[0]) {{row_bytes = 320}} layer 0\n"
        "%s = aipu.dma on dma0(src = l1 %a[0], dst = l2 %y[{0}]) {{row_bytes = 320}} layer 0\n"
    )
    image = assembled(text(core.format(0), more=f"aipu.core 1 {{\n{core.format(320)}}}\n"))
    (output,) = run(image, INT8)
    assert np.array_equal(output, INT8)


def test_order_follows_waits_not_layers():
    """The task of the earlier layer comes later in time."""
    source = text(
        "%f = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 640} layer 1\n"
        "%s = aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 640} layer 0 after(%f)\n"
    )
    (output,) = run(assembled(source), INT8)
    assert np.array_equal(output, INT8)


def test_damaged_tables_are_errors():
    rows = "{row_bytes = 64, count0 = 131, dst_step0 = 64}"
    table = FETCH + f"%t = aipu.dma on dma0(src = l2 %x[0], dst = l1 %b[8192]) {rows} layer 0\n"
    vec = COPY.replace("out = l1", "table = l1 %b[8192], out = l1").replace("{src", "{steps = [table r0], src")
    image = assembled(text(table + vec.replace("after(%fetch)", "after(%t)") + STORE))
    with pytest.raises(AxirError, match=r"core 0 depthwise\[0\] .*: no table: .* bins"):
        run(image, INT8)


def test_running_an_image_needs_no_compiler():
    """The device model imports neither xDSL nor ONNX: it cannot see the graph."""
    import subprocess
    import sys

    code = (
        "import sys, axir.backends.aipu.image, axir.backends.aipu.simulator;"
        "print([name for name in sys.modules if name.split('.')[0] in ('xdsl', 'onnx')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_images_are_not_changed_by_running():
    image = assembled(text())
    before = write_image(image)
    Simulator(image, TARGET).run([INT8])
    assert write_image(dataclasses.replace(image)) == before
