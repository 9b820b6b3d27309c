"""What can go wrong between an application and a device."""

from __future__ import annotations

from axir.ir.diagnostics import AxirError


class InvalidArgument(AxirError):
    """A buffer, name or number that does not fit the model or the device."""


class DeviceInUse(AxirError):
    """The device has fewer free cores than were asked for."""


class IncompatibleDevice(AxirError):
    """The model was compiled for another target."""
