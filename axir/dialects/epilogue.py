"""The epilogue: what the vector unit does to a result before it is stored.

An operator of the `ax` and `axq` dialects may carry an ordered list of steps, applied element by element to its float
result. `add`, `sub`, `mul`, `max` and `min` take a second tensor and `prelu` a slope; those come, in the order of the
steps, from the operator's `extras` operands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException


@dataclass(frozen=True)
class StepKind:
    """What a kind of step takes: `arguments` float constants, and whether it consumes an extra operand.

    A `table` function f takes no constants, or a, b, c, d: it is then c * f(a * x + b) + d.
    """

    arguments: int = 0
    operand: bool = False
    table: bool = False


STEP_KINDS: dict[str, StepKind] = {
    "scale": StepKind(arguments=1),  # factor
    "relu": StepKind(),
    "clip": StepKind(arguments=2),  # lower and upper bound
    "leaky_relu": StepKind(arguments=1),  # slope below zero
    "prelu": StepKind(operand=True),  # slope below zero, one a channel
    "hard_sigmoid": StepKind(arguments=2),  # alpha, beta
    "elu": StepKind(table=True),  # its alpha is 1
    "erf": StepKind(table=True),
    "gelu": StepKind(table=True),
    "gelu_tanh": StepKind(table=True),
    "hard_swish": StepKind(table=True),
    "mish": StepKind(table=True),
    "sigmoid": StepKind(table=True),
    "silu": StepKind(table=True),
    "softplus": StepKind(table=True),
    "tanh": StepKind(table=True),
    "add": StepKind(operand=True),
    "sub": StepKind(operand=True),
    "mul": StepKind(operand=True),
    "max": StepKind(operand=True),
    "min": StepKind(operand=True),
}

TABLE_ARGUMENTS = 4
"""Constants of a table step that has any: a, b, c, d."""
TABLE_LIMIT = 2.0**60
"""Greatest magnitude of a table's constants, and of 1 / a: start, slopes and intercepts are then binary32 numbers."""


@dataclass(frozen=True)
class Step:
    """One step of an epilogue: a kind from `STEP_KINDS` and its float constants."""

    kind: str
    arguments: tuple[float, ...] = ()

    @property
    def takes_operand(self) -> bool:
        return STEP_KINDS[self.kind].operand

    @property
    def takes_tensor(self) -> bool:
        """Whether its operand is a tensor like the result; a slope is none."""
        return self.takes_operand and self.kind != "prelu"

    @property
    def is_table(self) -> bool:
        return STEP_KINDS[self.kind].table

    def __str__(self) -> str:
        """As it is written in an epilogue."""
        if not self.arguments:
            return self.kind
        return f"{self.kind}({', '.join(float_literal(argument) for argument in self.arguments)})"


@irdl_attr_definition
class EpilogueAttr(Data[tuple[Step, ...]]):
    """`#ax.epilogue<add, clip(0.0, 6.0)>`: steps in the order in which they are applied."""

    name = "ax.epilogue"

    def __init__(self, steps: Sequence[Step] = ()):
        super().__init__(tuple(steps))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.data)

    @property
    def operand_count(self) -> int:
        """How many extra operands the steps consume."""
        return sum(step.takes_operand for step in self.data)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Step, ...]:
        steps = parser.parse_comma_separated_list(parser.Delimiter.ANGLE, lambda: _parse_step(parser))
        return tuple(steps)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_list(self.data, lambda step: printer.print_string(str(step)))

    def verify(self) -> None:
        for step in self.data:
            kind = STEP_KINDS.get(step.kind)
            if kind is None:
                raise VerifyException(f"unknown epilogue step '{step.kind}'")
            counts = (0, TABLE_ARGUMENTS) if kind.table else (kind.arguments,)
            if len(step.arguments) not in counts:
                expected = " or ".join(map(str, counts))
                raise VerifyException(
                    f"epilogue step '{step.kind}' takes {expected} constants, {len(step.arguments)} given"
                )
            if kind.table and step.arguments:
                _verify_table(step)
            if step.kind == "clip" and step.arguments[0] > step.arguments[1]:
                raise VerifyException(f"clip bounds are in the wrong order: {step.arguments}")


def _verify_table(step: Step) -> None:
    a, *others = step.arguments
    if not 1 / TABLE_LIMIT <= abs(a) <= TABLE_LIMIT or not all(abs(other) <= TABLE_LIMIT for other in others):
        raise VerifyException(
            f"the constants of {step} are out of range: the first is from 2**-60 to 2**60 in magnitude, the others are "
            "at most 2**60"
        )


def _parse_step(parser: AttrParser) -> Step:
    kind = parser.parse_identifier(" as an epilogue step")
    arguments = parser.parse_optional_comma_separated_list(
        parser.Delimiter.PAREN, lambda: float(parser.parse_number(allow_boolean=False))
    )
    return Step(kind, tuple(arguments or ()))


def float_literal(value: float) -> str:
    """The shortest MLIR float literal that reads back as the same double (MLIR wants a point in it)."""
    text = repr(float(value))
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}.0e{power}" if exponent and "." not in mantissa else text
