"""`#ax.stats`: what calibration records of a tensor."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, NoneAttr, f32, i64
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from axir.dialects.base import float_
from axir.dialects.epilogue import float_literal
from axir.ir.constants import WeightAttr

# The optional parameters of `StatsAttr`, in order: element type and rank.
_STATISTICS: dict[str, tuple[Attribute, int]] = {"histogram": (i64, 1), "channels": (f32, 2), "means": (f32, 1)}


@irdl_attr_definition
class StatsAttr(ParametrizedAttribute):
    """What calibration saw of one tensor: `#ax.stats<-1.0, 2.5, histogram dense<[1, 5]> : tensor<2xi64>>`.

    The extremes come first; the rest is optional. `histogram`: i64 counts over equal bins from `minimum` to `maximum`.
    `channels`: f32 [2, C], the least and greatest value of every channel. `means`: f32 [C], the mean of every channel.
    """

    name = "ax.stats"
    minimum: FloatAttr = param_def()
    maximum: FloatAttr = param_def()
    histogram: Attribute = param_def()
    channels: Attribute = param_def()
    means: Attribute = param_def()

    def __init__(
        self,
        minimum: float | FloatAttr,
        maximum: float | FloatAttr,
        histogram: Attribute | None = None,
        channels: Attribute | None = None,
        means: Attribute | None = None,
    ):
        super().__init__(
            minimum if isinstance(minimum, FloatAttr) else float_(minimum),
            maximum if isinstance(maximum, FloatAttr) else float_(maximum),
            histogram or NoneAttr(),
            channels or NoneAttr(),
            means or NoneAttr(),
        )

    def _present(self) -> dict[str, Attribute]:
        values = zip(_STATISTICS, (self.histogram, self.channels, self.means), strict=True)
        return {name: value for name, value in values if not isinstance(value, NoneAttr)}

    def verify(self) -> None:
        if not self.minimum.value.data <= self.maximum.value.data:
            raise VerifyException(f"minimum {self.minimum.value.data} is above maximum {self.maximum.value.data}")
        for name, attribute in self._present().items():
            element, rank = _STATISTICS[name]
            if not isinstance(attribute, WeightAttr | DenseIntOrFPElementsAttr):
                raise VerifyException(f"{name} must be a constant tensor, not {attribute}")
            if attribute.type.element_type != element or len(attribute.type.get_shape()) != rank:
                raise VerifyException(f"{name} must be a tensor of {element} of rank {rank}, not {attribute.type}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            minimum = float_(float(parser.parse_number()))
            parser.parse_punctuation(",")
            maximum = float_(float(parser.parse_number()))
            found: dict[str, Attribute] = {}
            while parser.parse_optional_punctuation(",") is not None:
                name = parser.parse_identifier(f": one of {', '.join(_STATISTICS)}")
                if name not in _STATISTICS or name in found:
                    parser.raise_error(f"expected each of {', '.join(_STATISTICS)} at most once, not {name}")
                found[name] = parser.parse_attribute()
        return [minimum, maximum, *(found.get(name, NoneAttr()) for name in _STATISTICS)]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{float_literal(self.minimum.value.data)}, {float_literal(self.maximum.value.data)}")
            for name, attribute in self._present().items():
                printer.print_string(f", {name} ")
                printer.print_attribute(attribute)
