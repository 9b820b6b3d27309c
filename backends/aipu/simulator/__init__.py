"""The device model. It sees an image and the device description, and nothing of the compiler."""

from axir.backends.aipu.simulator.device import Simulator

__all__ = ["Simulator"]
