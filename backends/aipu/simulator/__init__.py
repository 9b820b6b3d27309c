"""The device model. It sees an image and the device description, and nothing of the compiler."""

from axir.backends.aipu.simulator.device import Simulator
from axir.backends.aipu.simulator.fault import CoreFault
from axir.backends.aipu.simulator.region import DeviceMemory, Region
from axir.backends.aipu.simulator.steady import SteadyState, in_turn, steady_state
from axir.backends.aipu.simulator.timing import Instance, LayerTime, Timing, TraceEntry, simulate

__all__ = [
    "CoreFault",
    "DeviceMemory",
    "Instance",
    "LayerTime",
    "Region",
    "Simulator",
    "SteadyState",
    "Timing",
    "TraceEntry",
    "in_turn",
    "simulate",
    "steady_state",
]
