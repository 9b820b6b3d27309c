"""Random operations: the interpreter equals the slow reading of docs/numerics.md, byte for byte."""

import numpy as np
import slow_axq
from axq_graphs import RandomGraph, operations
from hypothesis import HealthCheck, given, settings

from axir.interp.axq import Interpreter

RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=200, deadline=None, suppress_health_check=RELAXED)
@given(operations())
def test_interpreter_equals_slow_reading(case: RandomGraph) -> None:
    (expected,) = slow_axq.run(case.graph, case.inputs, case.store)
    (actual,) = Interpreter(case.graph, case.store).run(case.inputs)
    assert actual.dtype == np.int8
    np.testing.assert_array_equal(actual, expected)
