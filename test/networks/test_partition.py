"""What runs where, of the shared networks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from shared import shared_model

from axir.compiler import CompilerConfig
from axir.compiler.dataset import Samples
from axir.compiler.partition_report import partition_report
from axir.compiler.request import Request
from axir.frontends.onnx.load import load
from axir.target.description import load as load_target

SHAPES: dict[str, dict[str, Sequence[int]]] = {
    "ppocr_cls": {"x": (1, 3, 48, 192)},
    "ppocrv4_det": {"x": (1, 3, 640, 640)},
    "prisma_portrait_seg": {"input_3": (1, 3, 256, 256)},
}
# The least share of multiply-accumulates on the device, and the most segments.
NETWORKS: dict[str, tuple[float, int]] = {
    "efficientnet_b0_rand": (1.0, 1),
    "fastestdet": (0.999, 1),
    "minifasnetv2_80": (1.0, 1),
    "mnist8": (1.0, 1),
    "mobilenetv2_imagenet": (1.0, 1),
    "ppocr_cls": (1.0, 1),
    "ppocrv4_det": (1.0, 1),
    "prisma_portrait_seg": (1.0, 1),
    "realesr_animevideov3_x4_128": (0.999, 1),
    "resnet8_cifar10": (1.0, 1),
    "squeezenet1_1_rand": (1.0, 1),
    "unet_small_rand": (1.0, 1),
    "yolo11n_rand": (0.99, 2),
    "yolov8n_rand": (0.999, 1),
    "yunet_n_320": (1.0, 1),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_run_on_the_device(name: str) -> None:
    path = shared_model(name)
    share, segments = NETWORKS[name]
    request = Request(
        str(path), CompilerConfig(), load_target(), lambda module, session: Samples(()), None, SHAPES.get(name, {})
    )
    report = partition_report(request)
    assert report["totals"]["device_share"] >= share
    assert 1 <= report["totals"]["segments"] <= segments
    assert report["totals"]["macs"] == sum(node["macs"] for node in report["nodes"])
    names = [node["node"] for node in report["nodes"]]
    assert len(names) >= len([proto for _, proto in load(path).nodes if proto.op_type != "Constant"])
    for node in report["nodes"]:
        assert (node["reason"] is None) == (node["kind"] == "device")
