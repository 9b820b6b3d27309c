"""Charts as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WIDTH = 40
"""Characters of the longest bar."""


def bar_chart(shares: Mapping[str, float], title: str) -> list[str]:
    """Shares between 0 and 1, a bar each."""
    longest = max(map(len, shares), default=0)
    return [title, *(f"{name:<{longest}}  {_bar(share):<{WIDTH}}  {share:6.1%}" for name, share in shares.items())]


def histogram(values: Sequence[float], title: str, unit: str, bins: int = 10) -> list[str]:
    """How often values fall into equal bins between the least and the greatest; all in one where they are equal."""
    low, high = min(values), max(values)
    if high <= low:
        return [title, f"{low:10.3f} {unit}  {_bar(1.0)}  {len(values)}"]
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    step, most = (high - low) / bins, max(counts)
    lines = [title]
    for number, count in enumerate(counts):
        start, end = low + number * step, low + (number + 1) * step
        lines.append(f"{start:10.3f} to {end:10.3f} {unit}  {_bar(count / most):<{WIDTH}}  {count}")
    return lines


def _bar(share: float) -> str:
    return "█" * round(max(0.0, min(1.0, share)) * WIDTH)
