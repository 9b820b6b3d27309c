"""Finds the optional folder of models and images that benchmarks and tests use but the project does not contain."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """`$AXIR_SHARED`, else `../shared` beside the checkout, if it is a folder."""
    folder = Path(os.environ.get("AXIR_SHARED") or CHECKOUT.parent / "shared")
    return folder if folder.is_dir() else None
