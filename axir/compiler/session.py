"""One compilation under way: its context, its stages with their times, its log."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from axir import __version__
from axir.compiler.config import CompilerConfig
from axir.compiler.pipeline import make_passes
from axir.compiler.trace import Trace
from axir.ir.context import make_context
from axir.ir.files import write_text
from axir.ir.module_file import weight_keys
from axir.ir.pass_manager import run_passes
from axir.ir.printing import print_module
from axir.target.description import Target


class Listener:
    """Hears how a compilation proceeds. This one ignores everything; the command line tools show it."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def progress(self, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) steps of the stage are done."""

    def message(self, text: str) -> None:
        """A line of the log."""

    def warning(self, text: str) -> None:
        """Something the user should know."""


@dataclass(frozen=True)
class StageTime:
    name: str
    seconds: float


class Session:
    """Runs stages: each is timed, verified, written to the dump folder when there is one, and named when it fails.

    `options` are those of passes that are no settings. `current` is the stage under way, or the one that failed.
    `last_good` is a copy of the module as it was after the last stage that succeeded, kept only where an error artifact
    would need it.
    """

    def __init__(
        self,
        config: CompilerConfig,
        target: Target,
        listener: Listener | None = None,
        dump_ir: Path | None = None,
        options: Mapping[str, object] | None = None,
    ):
        self.config = config
        self.options = dict(options or {})
        self.target = target.with_frequency(config.frequency)
        self.listener = listener or Listener()
        self.context = make_context()
        self.context.target = self.target
        self.chosen: dict[str, Any] = {}  # settings that the compilation has chosen itself
        self.stages: list[StageTime] = []
        self.current: str | None = None
        self.last_good: ModuleOp | None = None
        self.trace = Trace("compilation")
        self.log: list[str] = [f"AXIR {__version__}, target {target.name}"]
        self._dump_ir = dump_ir
        self._dumped: dict[str, None] = {}
        self._dumps = 0
        self._start = perf_counter()

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Times what happens inside; `current` stays at `name` if it raises."""
        self.current = name
        self.listener.stage(name)
        start = perf_counter()
        with self.trace.span(name, "stage"):
            yield
        seconds = perf_counter() - start
        self.stages.append(StageTime(name, seconds))
        self.message(f"{name}: {seconds:.3f} s")
        self.current = None

    def run(self, module: ModuleOp, *passes: str) -> None:
        """Run passes by name, each as a stage, and verify the module after each. Raises `AxirError`."""
        for name in passes:
            with self.stage(name):
                made = make_passes([name], self.config, self.options)
                run_passes(self.context, module, made, step=lambda step: self.trace.span(step, "step"))
            self.record(module, name)

    def message(self, text: str) -> None:
        line = f"{perf_counter() - self._start:9.3f} s  {text}"
        self.log.append(line)
        self.listener.message(line)

    def warning(self, text: str) -> None:
        self.log.append(f"{perf_counter() - self._start:9.3f} s  warning: {text}")
        self.listener.warning(text)

    def keep(self, module: ModuleOp) -> None:
        """Remember `module`, which is verified, as the last good one."""
        if self.config.save_error_artifact:
            self.last_good = module.clone()

    def record(self, module: ModuleOp, name: str) -> None:
        """What follows a stage that changed the module: `keep`; and write it to the dump folder.

        The text is `NN-name.mlir`, the weights of all dumps lie beside it.
        """
        self.keep(module)
        if self._dump_ir is None:
            return
        self._dump_ir.mkdir(parents=True, exist_ok=True)
        write_text(self._dump_ir / f"{self._dumps:02}-{name}.mlir", print_module(module))
        self._dumps += 1
        known = len(self._dumped)
        self._dumped |= dict.fromkeys(key for key in weight_keys(module) if key in self.context.store)
        if len(self._dumped) > known:
            self.context.store.save(self._dump_ir / "weights.safetensors", self._dumped)
