"""What `axc --sensitivity` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axir.tools.summary import table


def sensitivity_lines(report: Mapping[str, Any]) -> list[str]:
    """A row a layer, the worst first, then what all of them together cost. SQNR in dB; `-` where nothing is lost."""
    rows = [["layer", "operator", "SQNR", "share", "weights alone", "result alone", "of itself", "what would help"]]
    rows += [
        [
            layer["layer"],
            layer["operator"],
            _decibels(layer["sqnr_db"]),
            f"{layer['share']:.1%}",
            _decibels(layer["weights_alone_db"]),
            _decibels(layer["result_alone_db"]),
            _decibels(layer["own_sqnr_db"]),
            "; ".join(f"{one['what']}: {_decibels(one['sqnr_db'])}" for one in layer["helps"]),
        ]
        for layer in report["layers"]
    ]
    count = len(report["outputs"])
    outputs = f"output of {report['outputs'][0]}" if count == 1 else f"{count} outputs"
    return [
        *table(rows, "<<>>>>><"),
        "",
        f"together  {_decibels(report['together_db'])} dB with every layer quantized; "
        f"{_decibels(report['sum_of_layers_db'])} dB if the noise of the layers added up",
        f"SQNR of the {outputs}, in dB, over {report['samples']} calibration samples: each layer alone is quantized, "
        "all others compute in float",
    ]


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
