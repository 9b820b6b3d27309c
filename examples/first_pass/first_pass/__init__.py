"""A plug-in for AXIR: the passes and dialects it adds, by name. Nothing is imported until it is used."""

from collections.abc import Callable, Mapping
from typing import Any

from axir.registry import PassEntry

dialects: Mapping[str, Callable[[], Any]] = {}

passes = {
    "activation-before-pool": PassEntry(
        "first_pass.activation_before_pool",
        "ActivationBeforePool",
        "move activations from after a max pool to before it",
    ),
}
