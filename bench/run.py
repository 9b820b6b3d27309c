"""Run the benchmarks, one process each, and say at the end which reached their bars: `make bench`.

Without names all are run, the quick ones first; that takes half an hour or so. Models and photos come from the shared
folder (AXIR_SHARED, or ../shared beside the checkout); without it most benchmarks skip themselves.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from shared_folder import shared_folder

HERE = Path(__file__).resolve().parent

BENCHMARKS = {
    "loop": "ax-opt --help and the test suites",
    "simulator": "a frame on the device model, on one core",
    "time_model": "modelled against measured latency",
    "packing": "memory packing on hard instances",
    "bit_exact": "simulator = reference, every byte",
    "third_opinion": "the QDQ export under ONNX Runtime",
    "shipped_configs": "the shipped configurations against the defaults",
    "cores": "several cores, in every mode, against one",
    "soak": "streams with random queues, stops and faults",
    "multicore": "several cores: every way, and published rates",
    "small_memories": "ever smaller memories, until the refusal",
    "models": "all networks: compiling, share on the device, frame rate, accuracy",
    "accuracy_all": "every trained network's task, beside ONNX Runtime's quantization",
    "accuracy": "top-1, beside ONNX Runtime's quantization",
    "compile_time": "axc beside ONNX Runtime's quantization",
}

WITHOUT_BARS = ("accuracy", "time_model")
"""Benchmarks that only print."""


def arguments_of(name: str, no_bars: bool) -> list[str] | None:
    """What a benchmark is called with; None when it cannot run."""
    if name != "accuracy":
        return ["--no-bars"] if no_bars and name not in WITHOUT_BARS else []
    shared = shared_folder()
    if shared is None:
        return None
    return [str(shared / "models" / "mobilenetv2_imagenet.onnx"), str(shared / "images" / "imagenet300")]


def main() -> int:
    listed = "\n".join(f"  {name:16} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"benchmarks:\n{listed}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all)")
    parser.add_argument("--no-bars", action="store_true", help="only print: a missed bar is no failure")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there are {', '.join(BENCHMARKS)}")

    outcomes: dict[str, str] = {}
    failed = False
    for name in arguments.names or BENCHMARKS:
        print(f"{'=' * 8} {name}: {BENCHMARKS[name]}", flush=True)
        start = time.perf_counter()
        options = arguments_of(name, arguments.no_bars)
        if options is None:
            print("skipped: no shared folder")
            outcomes[name] = "skipped"
            continue
        code = subprocess.run([sys.executable, HERE / f"{name}.py", *options], check=False).returncode
        failed |= code != 0
        outcomes[name] = f"{'ended well' if code == 0 else f'exit code {code}':14} {time.perf_counter() - start:6.0f} s"
        print(flush=True)
    print("=" * 8, "summary")
    for name, outcome in outcomes.items():
        print(f"{name:16} {outcome}")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
