"""Hypothesis profiles: the same examples in every run by default; HYPOTHESIS_PROFILE=soak searches on."""

from __future__ import annotations

import os

# Before NumPy is loaded: on small matrices OpenBLAS's threads only wait for each other, for long on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "soak", max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
