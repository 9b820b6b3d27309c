"""`axc --partition-only`: every node, where it goes, why; nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from island_networks import SIDE, Islands, slow_host
from onnx import TensorProto, helper, numpy_helper

from axir.tools.axc import main as axc


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Batch normalization, an island, a constant branch, a host part at the end."""
    net = Islands()
    first = net.conv("x")
    ones = [net.constant(np.full(4, value, np.float32)) for value in (1, 0, 0, 1)]
    normal = net.node("BatchNormalization", first, *ones)
    island = net.on_host("CumSum", normal)
    shifted = net.node("Add", net.conv(island), net.node("Exp", net.constant(np.float32(1).reshape(1, 1, 1, 1))))
    model = net.model(net.on_host("Hardmax", shifted))
    onnx.save(model, str(tmp_path / "net.onnx"))
    return tmp_path / "net.onnx"


def report(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert axc([*map(str, arguments), "--partition-only", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_node_has_a_place(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, network, "--target", slow_host(tmp_path))
    nodes = {node["node"]: (node["operator"], node["part"]) for node in found["nodes"]}
    assert nodes == {
        "conv_0": ("Conv", "main"),
        "batchnormalization_1": ("BatchNormalization", "main"),
        "cumsum_2": ("CumSum", "island1"),
        "conv_3": ("Conv", "main1"),
        "exp_4": ("Exp", None),
        "add_5": ("Add", "main1"),
        "hardmax_6": ("Hardmax", "postamble"),
    }
    reasons = {node["node"]: node["reason"] for node in found["nodes"]}
    assert reasons["cumsum_2"] == reasons["hardmax_6"] == "it has no such operator"
    assert reasons["conv_0"] is None
    work = 2 * 9 * 16 * SIDE * SIDE
    assert found["totals"]["macs"] == found["totals"]["device_macs"] == sum(n["macs"] for n in found["nodes"]) == work
    assert found["totals"]["device_share"] == 1.0
    assert found["totals"]["segments"] == 2
    assert found["totals"]["transfers"] == 4
    assert found["totals"]["transfer_bytes"] == 4 * 4 * SIDE * SIDE
    assert [part["name"] for part in found["parts"]] == ["main", "island1", "main1", "postamble"]


def test_work_on_the_host_has_a_reason(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the shipped target the first convolution is not worth a segment."""
    found = report(capsys, network)
    nodes = {node["node"]: node for node in found["nodes"]}
    assert nodes["conv_0"]["kind"] == "host"
    assert nodes["conv_0"]["reason"] == "what the device cannot run depends on it, and it is not worth a device segment"
    assert found["totals"]["device_share"] == 0.5


def test_text_for_people(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert axc([str(network), "--partition-only", "--target", str(slow_host(tmp_path))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["node", "operator", "where", "part", "MACs", "why"]
    assert any(line.startswith("cumsum_2") and line.endswith("it has no such operator") for line in lines)
    assert lines[-2].startswith("device    100.0% of 10,368 multiply-accumulates, in 2 segments")
    assert lines[-1].startswith("transfers 4 tensors, 576 bytes a frame before padding")


def test_nothing_is_written(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    report(capsys, network, "-o", tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_settings_and_switches_count(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = slow_host(tmp_path)
    stay = report(capsys, network, "--target", slow, "--no-host-islands")
    assert [part["name"] for part in stay["parts"]] == ["main", "postamble"]
    refused = next(node for node in stay["nodes"] if node["node"] == "cumsum_2")
    assert (refused["kind"], refused["reason"]) == ("device", "it has no such operator")
    alone = report(capsys, network, "--target", slow, "--set", "run_graph_cleaner=false")
    assert [part["name"] for part in alone["parts"]] == ["main"]


def test_modules_and_refusals(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = ["--target", str(slow_host(tmp_path))]
    samples = Islands().samples()
    np.savez(tmp_path / "in.npz", x=samples[:, 0])
    arguments = [network, "-o", tmp_path / "out", "--calibration", tmp_path / "in.npz", "--dump-ir", tmp_path / "ir"]
    assert axc([*map(str, arguments), *slow]) == 0
    capsys.readouterr()
    whole = report(capsys, network, *slow)
    for level in ("import", "split-host"):
        (file,) = (tmp_path / "ir").glob(f"*-{level}.mlir")
        found = report(capsys, file, *slow)
        assert found["parts"] == whole["parts"]
    assert axc([str(tmp_path / "out" / "quantized_model"), "--partition-only"]) == 1
    assert "quantized already" in capsys.readouterr().err
    assert axc([str(network), "-o", str(tmp_path / "other"), "--json"]) == 1
    assert "--json is for --partition-only" in capsys.readouterr().err
    assert axc(["--partition-only"]) == 1
    assert "no model given" in capsys.readouterr().err


def test_a_network_that_the_device_cannot_run_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axis = numpy_helper.from_array(np.int64(1).reshape(()), "axis")
    node = helper.make_node("CumSum", ["x", "axis"], ["y"], name="sum")
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph([node], "g", info[:1], info[1:], [axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "net.onnx"))
    assert axc([str(tmp_path / "net.onnx"), "--partition-only"]) == 1
    assert "the device can run no operator of this network" in capsys.readouterr().err
