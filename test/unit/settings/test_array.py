"""Layout, vector programs and constants of array layers: what each setting does to the program, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from device_builds import ELEMENT, METIS, Network, built
from small_networks import SIZE, save, sound
from xdsl.dialects.builtin import BoolAttr, FloatAttr, f64, i1

from axir.dialects import axq
from axir.dialects.base import integer, ints, shape_of
from axir.dialects.epilogue import Step
from axir.ir.diagnostics import AxirError
from axir.runtime import Context
from axir.target.cost import cost
from axir.target.isa import StepOp
from axir.tools.axc import main as axc
from axir.tools.axrunmodel import main as axrunmodel


def test_apply_pword_padding_refuses_what_needs_padding() -> None:
    network = Network()
    network.finish(network.conv(network.take(64, 4, 4), 72))
    built(network)
    with pytest.raises(AxirError, match=r"tensor 'conv_0' has 72 channels, no multiple of 64, and apply_pword_padding"):
        built(network, apply_pword_padding=False)


def test_apply_pword_padding_leaves_whole_pwords_and_sub_word_inputs_alone() -> None:
    network = Network()
    network.finish(network.conv(network.conv(network.take(3, 8, 8), 64, 3), 128))
    assert built(network, apply_pword_padding=False).data == built(network).data
    with pytest.raises(AxirError, match="'input0' has 3 channels"):
        built(network, apply_pword_padding=False, enable_swicr=False)


def test_rewrite_concat_to_resadd() -> None:
    network = Network()
    x = network.take(20, 6, 6)
    parts = [network.conv(x, 40), network.conv(x, 70, 3)]
    network.finish(network.conv(network.concat(parts), 16))
    placed, copied = built(network), built(network, rewrite_concat_to_resadd=False)
    assert [layer.operator for layer in placed.image.layers] == ["conv"] * 3
    assert [layer.operator for layer in copied.image.layers] == ["conv", "conv", "concat", "concat", "conv"]
    assert len(copied.copies) == len(placed.copies) + 2
    assert copied.timing.cycles > placed.timing.cycles


@pytest.mark.parametrize(
    ("channels", "size", "outputs"), [(3, (9, 7), 10), (64, (5, 5), 64), (70, (4, 3), 130), (5, (1, 1), 7)]
)
def test_remove_io_padding_and_layout_transform(channels: int, size: tuple[int, int], outputs: int) -> None:
    network = Network()
    network.finish(network.conv(network.take(channels, *size), outputs))
    host, device = built(network), built(network, remove_io_padding_and_layout_transform=False)
    pixels = size[0] * size[1]
    assert [port.order for port in (*host.image.inputs, *host.image.outputs)] == ["NHWC"] * 2
    assert [port.order for port in (*device.image.inputs, *device.image.outputs)] == ["NCHW"] * 2
    assert [port.bytes for port in (*device.image.inputs, *device.image.outputs)] == [
        channels * pixels, outputs * pixels
    ]  # fmt: skip
    assert all(dma.by_pword for dma in host.copies)
    single = [dma for dma in device.copies if dma.row_bytes == 1]
    moved = sum(dma.count0 * dma.count1 * dma.count2 for dma in single)
    assert moved == (channels + outputs) * pixels if pixels > 1 else not single
    # A row of one byte takes as long as a whole pword, one cycle.
    assert sum(cost(dma, METIS).cycles for dma in single) == len(single) * METIS.dma.setup + moved
    assert device.timing.cycles > host.timing.cycles


def test_remove_io_padding_and_layout_transform_with_branches() -> None:
    """Inputs with other readers than the array, outputs that are inputs or slices of a concatenation."""
    network = Network()
    x, y = network.take(3, 6, 5), network.take(70, 6, 5)
    both = network.concat([y, network.conv(x, 8)])
    part = network.add(
        axq.SliceOp, [both], {"starts": ints((0, 70, 0, 0)), "ends": ints((1, 78, 6, 5)), "steps": ints((1, 1, 1, 1))},
        (1, 8, 6, 5), ELEMENT,
    )  # fmt: skip
    network.finish(both, part, y, network.add(axq.MapOp, [x, []], {}, (1, 3, 6, 5), ELEMENT))
    for l1 in (None, 40_000):
        device = built(network, remove_io_padding_and_layout_transform=False, l1_constraint=l1)
        assert {port.order for port in device.image.outputs} == {"NCHW"}


def wide(layers: int = 2) -> Network:
    """Convolutions of 36 KiB of weights each, the first with a table."""
    network = Network()
    value = network.take(64, 5, 5)
    for number in range(layers):
        value = network.conv(value, 64, 3, steps=() if number else (Step("silu"),))
    network.finish(value)
    return network


def test_dpu_constants_home() -> None:
    network, parameters = wide(), 2 * 256
    sizes = {"conv_0": 64 * 64 * 9, "conv_1": 64 * 64 * 9}
    together = {f"{name}.constants": parameters + size for name, size in sizes.items()}
    table = {"table.silu": 8384}
    roomy = built(network)
    assert (roomy.constants("l2"), roomy.constants("ddr")) == (together | table, {})
    apart = built(network, dpu_constants_home="global.ddr")
    assert apart.constants("ddr") == {f"{name}.parameters": parameters for name in sizes} | table
    assert apart.constants("l2") == {f"{name}.constants": size for name, size in sizes.items()}
    assert len(apart.copies) == len(roomy.copies) + 2  # parameters and weights of a layer come from two memories


def test_dpu_constants_home_where_weights_do_not_fit_l2() -> None:
    network, parameters, table = wide(), 2 * 256, {"table.silu": 8384}
    tight = {"l2_constraint": 20_000, "double_buffer": False}
    home = built(network, **tight)
    assert home.constants("l2") == {"conv_0.parameters": parameters, "conv_1.parameters": parameters} | table
    assert home.constants("ddr") == {"conv_0.constants": 64 * 64 * 9, "conv_1.constants": 64 * 64 * 9}
    ddr = built(network, dpu_constants_home="global.ddr", **tight)
    assert ddr.constants("l2") == {}
    assert ddr.read("ddr") == home.read("ddr") + 2 * parameters + 8384
    none = built(network, l2_constraint=4096, double_buffer=False)
    assert none.constants("l2") == {"conv_0.parameters": parameters}
    assert "conv_1.constants" in none.constants("ddr")


def chain(layers: int, channels: int = 64, depthwise: bool = False) -> Network:
    """1x1 convolutions, one weight set each, with depthwise ones between them."""
    network = Network()
    value = network.take(channels, 8, 8)
    for number in range(layers):
        if depthwise and number:
            value = network.conv(value, channels, 3, group=channels)
        value = network.conv(value, channels)
    network.finish(value)
    return network


@pytest.mark.parametrize("depthwise", [False, True])
def test_group_ifdw_tasks(depthwise: bool) -> None:
    network = chain(6, depthwise=depthwise)
    single, grouped = built(network), built(network, group_ifdw_tasks=True)
    assert len(grouped.tasks("load")) == len(single.tasks("load")) == 6
    # Groups of four and of two layers: two transfers instead of six, of the same bytes.
    assert len(single.copies) - len(grouped.copies) == 4
    assert grouped.read("l2") == single.read("l2")
    labels = [label for label in grouped.constants("l2") if ".group" in label]
    assert len(labels) == 2
    # The loads of a group wait for its transfer, not for the layers before them.
    waits = [{wait.unit for wait in task.waits} for task in grouped.image.cores[0]["load"][:4]]
    assert waits[0] == {"dma0"}
    assert not any("array" in units for units in waits)
    # Between depthwise layers, loads are hidden anyway, and the first transfer is longer.
    assert depthwise or grouped.timing.cycles < single.timing.cycles - 4 * METIS.device.dispatch


def test_group_ifdw_tasks_with_other_settings() -> None:
    for settings in (
        {"l2_constraint": 9000, "double_buffer": False}, {"dpu_constants_home": "global.ddr"},
        {"imc_double_buffer_sequential": True}, {"constant_memory_pool": "global.l1"}, {"l1_constraint": 24_000},
        {"tiling_depth": 3, "l1_constraint": 16_000},
    ):  # fmt: skip
        built(chain(6, depthwise=True), group_ifdw_tasks=True, **settings)


def test_group_ifdw_tasks_does_not_reach_over_products_of_tensors() -> None:
    """These load pixels into the weight sets."""
    network = Network()
    x = network.conv(network.take(6, 2, 2), 6)
    y = network.add(axq.MapOp, [x, []], {}, shape_of(x), axq.QuantType.per_tensor(0.5, 0))
    properties = {"heads": integer(3), "transpose": BoolAttr(1, i1), "factor": FloatAttr(0.01, f64)}
    product = network.add(axq.MatMulOp, [x, y, []], properties, (1, 4, 6, 2), ELEMENT)
    network.finish(network.conv(product, 8))
    assert len(built(network, group_ifdw_tasks=True).tasks("load")) > 2


def test_group_ifdw_tasks_leaves_out_what_l1_has_no_room_for() -> None:
    network = chain(4)
    labels = {
        l1: [label for label in built(network, group_ifdw_tasks=True, l1_constraint=l1).constants("l2")]
        for l1 in (15_000, None)
    }
    assert labels[None] == ["conv_0.group.constants"]
    assert "conv_0.group.constants" not in labels[15_000]


def sums(network: Network) -> None:
    """A convolution with two residual operands, of which one is added twice."""
    a, b = network.take(16, 6, 6), network.take(16, 6, 6)
    steps = (Step("add"), Step("leaky_relu", (0.25,)), Step("add"), Step("add"))
    network.finish(network.conv(a, 16, steps=steps, extras=(a, b, a)))


def test_dpu_allocation_algorithm_keeps_an_operand_that_is_added_twice() -> None:
    network = Network()
    sums(network)
    for algorithm in ("graph", "lazy", "backjump_recursive", "try_all"):
        (program,) = {program.steps for program in built(network, dpu_allocation_algorithm=algorithm).programs}
        # Operand 0 lives on until its second addition, so both are alive at once.
        assert sorted(step.target for step in program if step.op is StepOp.LOAD) == [1, 2]


def test_dpu_allocation_algorithm_lazy_takes_fresh_registers() -> None:
    network = Network()
    a, b = network.take(16, 6, 6), network.take(16, 6, 6)
    network.finish(network.conv(a, 16, steps=(Step("add"), Step("mul")), extras=(a, b)))

    def registers(algorithm: str) -> list[int]:
        (program,) = {program.steps for program in built(network, dpu_allocation_algorithm=algorithm).programs}
        return [step.target for step in program if step.op is StepOp.LOAD]

    assert registers("lazy") == [1, 2]
    assert registers("graph") == registers("backjump_recursive") == registers("try_all") == [1, 1]


def test_remove_io_padding_and_layout_transform_in_the_runtime(tmp_path: Path) -> None:
    outputs: list[np.ndarray] = []
    source = save(sound(), tmp_path / "net.onnx")
    x = np.random.default_rng(0).standard_normal((1, 3, SIZE, SIZE)).astype(np.float32)
    for value in ("true", "false"):
        folder = tmp_path / value
        assert axc([str(source), "-o", str(folder), "--set", f"remove_io_padding_and_layout_transform={value}"]) == 0
        with Context() as context, context.device_connect() as connection:
            instance = connection.load_model_instance(context.load_model(folder))
            (taken,), (given,) = instance.inputs, instance.outputs
            assert taken.order == given.order == ("NHWC" if value == "true" else "NCHW")
            buffer = given.allocate()
            instance.run([taken.quantize(x)], [buffer])
            outputs += [given.dequantize(buffer), *instance.hosted()(x)]
        if value == "false":
            assert (taken.shape, taken.padding) == ((1, 3, SIZE, SIZE), ((0, 0),) * 4)
            assert given.bytes == 8 * SIZE * SIZE
            assert axrunmodel([str(folder)]) == 0
    np.testing.assert_array_equal(outputs[0], outputs[2])
    np.testing.assert_array_equal(outputs[1], outputs[3])
