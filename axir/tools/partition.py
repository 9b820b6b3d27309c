"""What `axc --partition-only` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axir.tools.summary import table

NOWHERE = "-"


def partition_lines(report: Mapping[str, Any]) -> list[str]:
    """A row a node, then the parts, then the totals."""
    rows = [["node", "operator", "where", "part", "MACs", "why"]]
    rows += [
        [
            node["node"],
            node["operator"],
            node["kind"] or NOWHERE,
            node["part"] or NOWHERE,
            f"{node['macs']:,}",
            node["reason"] or "",
        ]
        for node in report["nodes"]
    ]
    parts = [["part", "where", "operators", "MACs", "bytes moved"]]
    parts += [
        [part["name"], part["kind"], str(part["operators"]), f"{part['macs']:,}", f"{part['transfer_bytes']:,}"]
        for part in report["parts"]
    ]
    return [*table(rows, "<<<<><"), "", *table(parts, "<<>>>"), "", *_totals(report["totals"])]


def _totals(totals: Mapping[str, Any]) -> list[str]:
    share = totals["device_share"]
    work = "no multiply-accumulates" if share is None else f"{share:.1%} of {totals['macs']:,} multiply-accumulates"
    count = totals["segments"]
    return [
        f"device    {work}, in {count} {'segment' if count == 1 else 'segments'}",
        f"transfers {totals['transfers']} tensors, {totals['transfer_bytes']:,} bytes a frame before padding, "
        f"{totals['transfer_s'] * 1e6:,.0f} µs on the link alone (modelled, no chip)",
    ]
