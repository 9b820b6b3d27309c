"""How the tools show progress: warnings and the log on stderr; a moving bar where stderr is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from axir.compiler.session import Listener

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Console(Listener):
    """Shows a compilation on stderr. The bar exists inside `live` only."""

    def __init__(self, verbose: bool = False):
        self.verbose = verbose
        self.stages: list[str] = []
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @contextmanager
    def live(self) -> Generator[None]:
        """Show a bar while the block runs, where stderr is a terminal; it leaves no trace."""
        if not sys.stderr.isatty():
            yield
            return
        import rich.console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        console = rich.console.Console(file=sys.stderr)
        with Progress(*columns, console=console, transient=True) as self._bar:
            try:
                yield
            finally:
                self._bar = self._task = None

    def stage(self, name: str) -> None:
        self.stages.append(name)
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=None)

    def progress(self, done: int, total: int | None) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def message(self, text: str) -> None:
        if self.verbose:
            self._print(text)

    def warning(self, text: str) -> None:
        self._print(f"warning: {text}")

    def _print(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr)
