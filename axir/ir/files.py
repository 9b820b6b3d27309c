"""Files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_open(path: str | os.PathLike[str]) -> Generator[BinaryIO]:
    """Open `path` for writing bytes; the file appears under its name only when the block ends without an error.

    Raises `OSError` as `open` does. A file of that name that exists already stays as it was until then.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        file = open(temporary, "wb")
    except OSError as error:
        # The user knows the target, not our temporary name.
        raise OSError(error.errno, error.strerror, str(target)) from None
    try:
        with file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_open(path) as file:
        file.write(text.encode())
