"""Random operations: the interpreter equals the slow reading of docs/numerics.md, byte for byte."""

import numpy as np
import slow_axq
from axq_graphs import RandomGraph, operations
from hypothesis import given

from axir.interp.axq import Interpreter


@given(operations())
def test_interpreter_equals_slow_reading(case: RandomGraph) -> None:
    (expected,) = slow_axq.run(case.graph, case.inputs, case.store)
    (actual,) = Interpreter(case.graph, case.store).run(case.inputs)
    assert actual.dtype == np.int8
    np.testing.assert_array_equal(actual, expected)
