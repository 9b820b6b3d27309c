"""What the benchmark scripts share: arguments, the machine they ran on, tables, bars, measured processes."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shared_folder import shared_folder

QUIET_LOAD = 1.5
"""Load average above which other work has disturbed the times."""


def make_parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-bars", action="store_true", help="only print: a missed bar is no failure")
    return parser


def add_networks(parser: argparse.ArgumentParser, known: Sequence[str]) -> None:
    """Networks by name as positional arguments."""
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(known)} (default: all)")
    parser.set_defaults(known_networks=tuple(known))


def networks_of(arguments: argparse.Namespace) -> list[str]:
    """The networks asked for; exits with a message for an unknown one."""
    for name in arguments.networks:
        if name not in arguments.known_networks:
            sys.exit(f"error: no network '{name}'; there are {', '.join(arguments.known_networks)}")
    return list(arguments.networks or arguments.known_networks)


def need_shared_folder() -> Path:
    """The folder of models and images; without it the script ends, with a message and exit code 0."""
    folder = shared_folder()
    if folder is None:
        print("skipped: no shared folder; set AXIR_SHARED to the folder with models/ and images/")
        raise SystemExit(0)
    return folder


class Report:
    """The output of one script: a heading with date and machine, then what the script prints, then its bars."""

    def __init__(self, title: str, no_bars: bool = False):
        self._no_bars = no_bars
        self._missed = 0
        load = os.getloadavg()[0]
        print(f"{title}\n{datetime.now():%Y-%m-%d %H:%M}, {cpu_model()}, {os.cpu_count()} CPUs, ", end="")
        print(f"Python {platform.python_version()}, load average {load:.1f}", end="")
        print(" (under load: times are upper bounds)" if load >= QUIET_LOAD else "", end="\n\n", flush=True)

    def bar(self, reached: bool, text: str) -> None:
        """State a bar and whether it was reached."""
        self._missed += not reached
        print(f"{'reached' if reached else 'MISSED '}  {text}", flush=True)

    def finish(self) -> int:
        """The exit code: 1 when a bar was missed, unless only printing was asked for."""
        return int(self._missed > 0 and not self._no_bars)


class Table:
    """Prints rows as they come, under headings; a negative width aligns to the left."""

    def __init__(self, **columns: int):
        self._widths = list(columns.values())
        self.row(*(name.replace("_", " ") for name in columns))

    def row(self, *cells: object) -> None:
        padded = [
            str(cell).ljust(-width) if width < 0 else str(cell).rjust(width)
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        print("  ".join(padded).rstrip(), flush=True)


def cpu_model() -> str:
    """The processor's name as the operating system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@dataclass(frozen=True)
class Measured:
    """A process that has ended: wall-clock seconds, most memory in bytes, exit code, its stdout and stderr."""

    seconds: float
    peak_rss: int
    code: int
    output: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s / {self.peak_rss / 2**30:.2f} GiB"


def measure(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command from start to end; time and memory are the whole process's, as the system accounts them."""
    start = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read().decode(errors="replace")
        # wait4 and not wait: the resources of this process, not of all children so far.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_maxrss * unit, process.returncode, output)


def must(measured: Measured) -> Measured:
    """Exits, with the process's output, when it failed."""
    if measured.code:
        sys.exit(f"{measured.output}\nerror: the command ended with exit code {measured.code}")
    return measured


def tool(name: str) -> Path:
    """A command line tool of the environment that this Python belongs to."""
    return Path(sys.executable).with_name(name)
