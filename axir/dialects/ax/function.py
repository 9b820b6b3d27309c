"""Functions of one number that operators apply to every element."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from axir.dialects.epilogue import float_literal

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "abs": (),
    "celu": ("alpha",),  # x for x >= 0, alpha * (exp(x / alpha) - 1) below
    "cos": (),
    "elu": ("alpha",),  # x for x >= 0, alpha * (exp(x) - 1) below
    "erf": (),
    "exp": (),
    "gelu": (),  # x / 2 * (1 + erf(x / sqrt(2)))
    "gelu_tanh": (),  # x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    "log": (),
    "mish": (),  # x * tanh(softplus(x))
    "pow": ("exponent",),  # x ** exponent
    "reciprocal": (),
    "selu": ("alpha", "gamma"),  # gamma * elu(x, alpha)
    "sin": (),
    "softplus": (),  # log(1 + exp(x))
    "softsign": (),  # x / (1 + |x|)
    "sqrt": (),
    "thresholded_relu": ("alpha",),  # x for x > alpha, 0 below
}
"""Functions by name, and the names of their parameters. Where no formula is given, the name is the formula."""


@dataclass(frozen=True)
class Function:
    """A function from `FUNCTIONS` and the values of its parameters."""

    name: str
    parameters: tuple[float, ...] = ()

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(map(float_literal, self.parameters))})"


FUNCTION_STEPS = {Function(name): name for name in ("erf", "gelu", "gelu_tanh", "mish", "softplus")} | {
    Function("elu", (1.0,)): "elu"
}
"""The functions that are a step of an epilogue as well, and its kind."""


@irdl_attr_definition
class FunctionAttr(Data[Function]):
    """`#ax.function<elu(1.0)>`"""

    name = "ax.function"

    def __init__(self, function: Function):
        super().__init__(function)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Function:
        with parser.in_angle_brackets():
            name = parser.parse_identifier(" as a function")
            numbers = parser.parse_optional_comma_separated_list(
                parser.Delimiter.PAREN, lambda: float(parser.parse_number(allow_boolean=False))
            )
        return Function(name, tuple(numbers or ()))

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.data))

    def verify(self) -> None:
        expected = FUNCTIONS.get(self.data.name)
        if expected is None:
            raise VerifyException(f"unknown function '{self.data.name}'")
        if len(self.data.parameters) != len(expected):
            raise VerifyException(
                f"function '{self.data.name}' takes {len(expected)} parameters, {len(self.data.parameters)} given"
            )
        if not all(map(isfinite, self.data.parameters)):
            raise VerifyException(f"the parameters of {self.data} are not finite")
