"""The developer's loop: `ax-opt --help`, the lit suite in process and with a process a command, `make test`."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from harness import Measured, Report, make_parser, measure, must, tool
from shared_folder import CHECKOUT

HELP_BAR, LIT_BAR, TEST_BAR = 0.5, 60.0, 15 * 60.0


def suite(name: str, *command: str | Path) -> Measured:
    """Run tests and print how long they took; failing ones are said, and the times count all the same."""
    measured = measure(command)
    failed = "" if measured.code == 0 else "   WITH FAILURES"
    print(f"{name:20} {measured.seconds:7.1f}{failed}", flush=True)
    return measured


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=9, metavar="N", help="runs of ax-opt --help (default 9)")
    parser.add_argument("--make-test", action="store_true", help="run `make test` as well")
    arguments = parser.parse_args()

    report = Report("The developer's loop, in seconds", arguments.no_bars)
    times = [must(measure([tool("ax-opt"), "--help"])).seconds for _ in range(arguments.runs)]
    help_time = median(times)
    spread = f"median of {arguments.runs}, {min(times):.3f} to {max(times):.3f}"
    print(f"{'ax-opt --help':20} {help_time:7.3f}   {spread}", flush=True)
    runs = [
        suite("lit, in process", tool("lit"), "--param", "inproc=1", "-q", CHECKOUT / "test"),
        suite("lit, plain", tool("lit"), "-q", CHECKOUT / "test"),
    ]
    lit_time = max(run.seconds for run in runs)
    test = suite("make test", "make", "-C", CHECKOUT, "test") if arguments.make_test else None
    print()
    report.bar(help_time <= HELP_BAR, f"ax-opt --help in {HELP_BAR} s: {help_time:.3f} s")
    report.bar(lit_time <= LIT_BAR, f"lit in {LIT_BAR:.0f} s, both ways: {lit_time:.1f} s")
    if test is not None:
        report.bar(test.seconds <= TEST_BAR, f"make test in {TEST_BAR / 60:.0f} minutes: {test.seconds / 60:.1f}")
    report.bar(all(run.code == 0 for run in (*runs, *([test] if test else []))), "the tests passed")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
