"""Resampling along axes, and which input elements make an output element."""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, TensorType, f64
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition, irdl_op_definition, operand_def, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from axir.dialects.base import WINDOW, Tensor, TypedOp, ints_of, shape_of, tensor_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    Index = NDArray[np.int64]


class ResizeMode(StrEnum):
    NEAREST = auto()
    LINEAR = auto()


class Coordinates(StrEnum):
    """Where in the input an output element is; `tf_half_pixel_for_nn` is only in operator set 11."""

    HALF_PIXEL = auto()
    HALF_PIXEL_SYMMETRIC = auto()
    PYTORCH_HALF_PIXEL = auto()
    ALIGN_CORNERS = auto()
    ASYMMETRIC = auto()
    TF_HALF_PIXEL_FOR_NN = auto()


class Rounding(StrEnum):
    """Which of the two neighbours is the nearest."""

    ROUND_PREFER_FLOOR = auto()
    ROUND_PREFER_CEIL = auto()
    FLOOR = auto()
    CEIL = auto()


@irdl_attr_definition
class ResizeModeAttr(EnumAttribute[ResizeMode], SpacedOpaqueSyntaxAttribute):
    name = "ax.resize_mode"


@irdl_attr_definition
class CoordinatesAttr(EnumAttribute[Coordinates], SpacedOpaqueSyntaxAttribute):
    name = "ax.coordinates"


@irdl_attr_definition
class RoundingAttr(EnumAttribute[Rounding], SpacedOpaqueSyntaxAttribute):
    name = "ax.rounding"


@irdl_op_definition
class ResizeOp(TypedOp):
    """Resampling to `sizes`; axes are independent of each other.

    `scales`, one binary32 number an axis, say how far output elements are apart in the input (1 / scale); they need not
    be the ratio of the sizes. `nearest_index` and `linear_taps` say what an output element is made of; `rounding` goes
    with the mode `nearest`. https://onnx.ai/onnx/operators/onnx__Resize.html
    """

    name = "ax.resize"
    input = operand_def(TensorType)
    mode = prop_def(ResizeModeAttr)
    sizes = prop_def(WINDOW)
    scales = prop_def(DenseArrayBase.constr(f64))
    coordinates = prop_def(CoordinatesAttr)
    rounding = opt_prop_def(RoundingAttr)
    assembly_format = (
        "$input $mode `sizes` $sizes `scales` $scales `coordinates` $coordinates (`rounding` $rounding^)? attr-dict "
        "`:` type($input) `->` type($result)"
    )

    @property
    def scale_values(self) -> tuple[float, ...]:
        return cast("DenseArrayBase[AnyFloat]", self.scales).get_values()

    def infer(self) -> Tensor:
        shape, sizes = shape_of(self.input), ints_of(self.sizes)
        if not len(shape) == len(sizes) == len(self.scale_values):
            raise ValueError(f"resize needs one size and one scale for each of {len(shape)} axes")
        if min(sizes, default=1) < 1:
            raise ValueError(f"sizes {list(sizes)} are not positive")
        return TensorType(tensor_of(self.input).element_type, sizes)

    def verify_(self) -> None:
        super().verify_()
        if not all(0.0 < scale < float("inf") for scale in self.scale_values):
            raise VerifyException(f"scales {list(self.scale_values)} are not positive numbers")
        if (self.rounding is None) == (self.mode.data == ResizeMode.NEAREST):
            raise VerifyException("the mode nearest, and no other, has a rounding")

    def positions(self, axis: int) -> F32:
        """Where each output element along an axis is in the input, [output size], in binary32 as ONNX Runtime does."""
        import numpy as np

        before, after = shape_of(self.input)[axis], ints_of(self.sizes)[axis]
        scale, half = np.float32(self.scale_values[axis]), np.float32(0.5)
        out = np.arange(after, dtype=np.float32)
        if before == after and scale == 1:
            return out
        match self.coordinates.data:
            case Coordinates.HALF_PIXEL:
                return (out + half) / scale - half
            case Coordinates.HALF_PIXEL_SYMMETRIC:
                adjustment = np.float32(after) / (scale * np.float32(before))
                offset = np.float32(before) / np.float32(2) * (np.float32(1) - adjustment)
                return offset + (out + half) / scale - half
            case Coordinates.PYTORCH_HALF_PIXEL:
                return (out + half) / scale - half if after > 1 else np.zeros_like(out)
            case Coordinates.ALIGN_CORNERS:
                return out * np.float32(before - 1) / np.float32(after - 1) if after > 1 else np.zeros_like(out)
            case Coordinates.ASYMMETRIC:
                return out / scale
            case Coordinates.TF_HALF_PIXEL_FOR_NN:
                return (out + half) / scale

    def nearest_index(self, axis: int) -> Index:
        """The input element that each output element along an axis is, in the mode nearest: [output size]."""
        import numpy as np

        assert self.rounding is not None
        x, half = self.positions(axis), np.float32(0.5)
        match self.rounding.data:
            case Rounding.ROUND_PREFER_FLOOR:
                rounded = np.ceil(x - half)
            case Rounding.ROUND_PREFER_CEIL:
                rounded = np.floor(x + half)
            case Rounding.FLOOR:
                rounded = np.floor(x)
            case Rounding.CEIL:
                rounded = np.ceil(x)
        return np.clip(rounded, 0, shape_of(self.input)[axis] - 1).astype(np.int64)

    def linear_taps(self, axis: int) -> tuple[Index, Index, F32]:
        """(i, j, w): output element o along an axis is (1 - w[o]) * x[i[o]] + w[o] * x[j[o]], in the mode linear."""
        import numpy as np

        last = shape_of(self.input)[axis] - 1
        x = np.clip(self.positions(axis), np.float32(0), np.float32(last))
        low = np.floor(x).astype(np.int64)
        return low, np.minimum(low + 1, last), x - low.astype(np.float32)
