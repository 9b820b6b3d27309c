"""Memory packing on the hard instances of MiniMalloc (Moffitt, ASPLOS 2023), against their capacity.

Reads NAME.CAPACITY.csv (columns id,lower,upper,size; alive at lower .. upper-1) from reference/minimalloc in the shared
folder. Heights are in parts of the capacity: 1.000 or less fits. Overlaps are checked here, apart from the packer.
"""

from __future__ import annotations

import csv
import sys
import time
from itertools import combinations
from pathlib import Path

from harness import Report, Table, make_parser, need_shared_folder

from axir.passes.memory.packing import Interval, Packing, lower_bound, pack

SECONDS = 60
"""Bar: each instance within that time. CP-SAT (OR-tools 9.15, no_overlap_2d, two threads) solves 2 of the 11 in it."""


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("instances", nargs="*", metavar="INSTANCE", help="of A .. K (default: all)")
    parser.add_argument("--nodes", type=int, default=200_000, help="limit of the search (default: %(default)s)")
    arguments = parser.parse_args()
    files = {f.name.split(".")[0]: f for f in sorted(need_shared_folder().glob("reference/minimalloc/*.csv"))}
    if not files:
        print("skipped: the shared folder has no reference/minimalloc/*.csv")
        return 0
    unknown = [name for name in arguments.instances if name not in files]
    if unknown:
        sys.exit(f"error: no instance '{unknown[0]}'; there are {', '.join(files)}")

    report = Report("memory packing", arguments.no_bars)
    table = Table(instance=-8, buffers=7, lower_bound=11, first_fit=9, first_fit_s=11, search=6, search_s=8)
    solved: list[bool] = []
    for name in arguments.instances or files:
        capacity = int(files[name].name.split(".")[1])
        intervals = read(files[name])
        bound, _ = lower_bound(intervals)
        before, before_seconds = timed(intervals, capacity, 0)
        after, after_seconds = timed(intervals, capacity, arguments.nodes)
        table.row(
            name,
            len(intervals),
            f"{bound / capacity:.3f}",
            f"{before.height / capacity:.3f}",
            f"{before_seconds:.2f}",
            f"{after.height / capacity:.3f}",
            f"{after_seconds:.2f}",
        )
        solved.append(after.height <= capacity and after_seconds <= SECONDS)
    print()
    report.bar(all(solved), f"{sum(solved)} of {len(solved)} instances fit their capacity within {SECONDS} s")
    return report.finish()


def read(file: Path) -> list[Interval]:
    with file.open(newline="") as lines:
        return [Interval(int(row["lower"]), int(row["upper"]) - 1, int(row["size"])) for row in csv.DictReader(lines)]


def timed(intervals: list[Interval], capacity: int, nodes: int) -> tuple[Packing, float]:
    """The packing, checked pair by pair, and the seconds it took."""
    start = time.perf_counter()
    packing = pack(intervals, capacity, nodes)
    seconds = time.perf_counter() - start
    for (at, i), (other_at, other) in combinations(zip(packing.addresses, intervals, strict=True), 2):
        meet = i.first <= other.last and other.first <= i.last
        if meet and at < other_at + other.size and other_at < at + i.size:
            sys.exit(f"error: {i} at {at} and {other} at {other_at} overlap")
    return packing, seconds


if __name__ == "__main__":
    sys.exit(main())
