"""Forms of operators that move data: resampling, padding, picking, repeating, blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx_form import ALL, ATTRIBUTE, INPUT, Form, ints

ROI = {"roi": np.zeros(0, np.float32)}
COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
RESIZE = (11, 13, 18, 19, 21)


def scales(*values: float) -> dict[str, np.ndarray]:
    return {**ROI, "scales": np.array([1, 1, *values], np.float32)}


def sizes(*values: int) -> dict[str, np.ndarray]:
    return {**ROI, "scales": np.zeros(0, np.float32), "sizes": ints(2, 4, *values)}


def resize(constants: dict[str, np.ndarray], opsets: Sequence[int] = RESIZE, **attributes: object) -> Form:
    return Form("Resize", opsets, ["resize"], constants=constants, attributes=attributes)


FORMS = {
    **{
        f"resize-nearest-{coordinates}-{rounding}": resize(
            scales(1.7, 0.6), coordinate_transformation_mode=coordinates, nearest_mode=rounding
        )
        for coordinates in COORDINATES
        for rounding in ROUNDINGS
    },
    **{
        f"resize-linear-{coordinates}-{way}": resize(
            by, mode="linear", coordinate_transformation_mode=coordinates
        )
        for coordinates in COORDINATES
        for way, by in (("scales", scales(2.3, 1.0)), ("sizes", sizes(4, 11)))
    },
    "resize-nearest-sizes": resize(sizes(9, 3)),
    "resize-nearest-twice": resize(scales(2, 2), coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
    "resize-linear-twice": resize(scales(2, 2), mode="linear"),
    "resize-linear-symmetric": resize(
        scales(1.5, 0.7), (19, 21), mode="linear", coordinate_transformation_mode="half_pixel_symmetric"
    ),
    "resize-to-one": resize(sizes(1, 1), coordinate_transformation_mode="pytorch_half_pixel"),
    "resize-to-one-aligned": resize(sizes(1, 5), mode="linear", coordinate_transformation_mode="align_corners"),
    "resize-omitted-inputs": Form(
        "Resize", (13, 18, 21), ["resize"], constants={"scales": np.array([1, 1, 1.5, 2], np.float32)},
        order=["x", "", "scales"],
    ),
    "resize-axes": Form(
        "Resize", (18, 21), ["resize"], constants={"sizes": ints(12, 3)}, order=["x", "", "", "sizes"],
        attributes={"axes": [2, 3]},
    ),
    "resize-not-larger": Form(
        "Resize", (18, 21), ["resize"], constants={"sizes": ints(12, 7)}, order=["x", "", "", "sizes"],
        attributes={"axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"},
    ),
    "resize-not-smaller": Form(
        "Resize", (18, 21), ["resize"], constants={"sizes": ints(12, 7)}, order=["x", "", "", "sizes"],
        attributes={"axes": [2, 3], "keep_aspect_ratio_policy": "not_smaller"},
    ),
    "resize-10": Form("Resize", (10,), ["resize"], constants={"s": np.array([1, 1, 2, 1.4], np.float32)}),
    "resize-10-smaller": Form("Resize", (10,), ["resize"], constants={"s": np.array([1, 1, 0.5, 0.7], np.float32)}),
    "resize-10-mixed": Form("Resize", (10,), ["onnx:Resize"], constants={"s": np.array([1, 1, 2, 0.5], np.float32)}),
    "resize-10-linear": Form(
        "Resize", (10,), ["resize"], constants={"s": np.array([1, 1, 0.5, 1.7], np.float32)},
        attributes={"mode": "linear"},
    ),
    "resize-cubic": Form("Resize", RESIZE, ["onnx:Resize"], constants=scales(2, 2), attributes={"mode": "cubic"}),
    "resize-antialias": Form(
        "Resize", (18, 21), ["onnx:Resize"], constants=scales(0.5, 0.5), attributes={"mode": "linear", "antialias": 1}
    ),
    "resize-crop": Form(
        "Resize", (11, 13, 21), ["onnx:Resize"],
        constants={"roi": np.array([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.9], np.float32),
                   "scales": np.array([1, 1, 2, 2], np.float32)},
        attributes={"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"},
    ),
    "upsample-attribute": Form("Upsample", (7, 8), ["resize"], attributes={"scales": [1.0, 1.0, 2.0, 3.0]}),
    "upsample-linear": Form(
        "Upsample", (7, 8), ["resize"], attributes={"scales": [1.0, 1.0, 1.5, 2.0], "mode": "linear"}
    ),
    "upsample-input": Form("Upsample", (9,), ["resize"], constants={"s": np.array([1, 1, 2, 1.4], np.float32)}),
    "pad-edge": Form(
        "Pad", ATTRIBUTE, ["pad"], attributes={"pads": [0, 0, 2, 9, 0, 1, 3, 0], "mode": "edge"}
    ),
    "pad-edge-input": Form(
        "Pad", INPUT, ["pad"], constants={"p": ints(0, 2, 2, 0, 0, 0, 1, 7)}, attributes={"mode": "edge"}
    ),
    "pad-reflect-input": Form(
        "Pad", INPUT, ["pad"], constants={"p": ints(0, 3, 5, 0, 0, 0, 1, 4)}, attributes={"mode": "reflect"}
    ),
    "pad-wrap": Form(
        "Pad", (19, 21), ["onnx:Pad"], constants={"p": ints(0, 0, 1, 1, 0, 0, 2, 2)}, attributes={"mode": "wrap"}
    ),
    "slice-empty-backwards": Form(
        "Slice", (10, 13), ["slice", "gather"],
        constants={"s": ints(-1, 1), "e": ints(0, 3), "a": ints(1, 2), "t": ints(-2, 1)},
    ),
    "gather-matrix": Form(
        "Gather", ALL, ["gather", "reshape"], constants={"i": np.array([[3, 0], [1, 1]])}, attributes={"axis": 1}
    ),
    "gather-negative": Form(
        "Gather", (11, 13), ["gather"], constants={"i": np.array([-1, 0, -2], np.int32)}, attributes={"axis": -1}
    ),
    "gather-runtime": Form("Gather", (7, 13), ["gather"], constants={"i": ints(0, 0)}),
    "expand": Form("Expand", (8, 13), ["expand"], {"x": (3, 1)}, {"s": ints(2, 1, 4)}),
    "expand-smaller": Form("Expand", (8, 13), [], constants={"s": ints(1, 5)}),
    "tile": Form("Tile", (7, 13), ["gather", "expand"], {"x": (2, 1, 3)}, {"r": ints(1, 4, 2)}),
    "tile-once": Form("Tile", (7, 13), [], {"x": (2, 3)}, {"r": ints(1, 1)}),
    "depth-to-space": Form("DepthToSpace", ALL, ["depth_to_space"], {"x": (2, 12, 2, 3)}, attributes={"blocksize": 2}),
    "depth-to-space-crd": Form(
        "DepthToSpace", (11, 13, 21), ["depth_to_space"], {"x": (1, 18, 2, 3)},
        attributes={"blocksize": 3, "mode": "CRD"},
    ),
    "space-to-depth": Form("SpaceToDepth", ALL, ["space_to_depth"], {"x": (2, 3, 4, 6)}, attributes={"blocksize": 2}),
}  # fmt: skip
