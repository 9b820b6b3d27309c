"""The graph passes, with what the settings of the graph cleaner ask for beside them: warnings and files."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from axir.compiler.output import numbered
from axir.compiler.pipeline import GRAPH_PASSES, option_settings
from axir.compiler.session import Session
from axir.dialects import ax
from axir.ir.files import atomic_open
from axir.ir.location import layer_name
from axir.passes.graph_flow import operator_name, operators
from axir.passes.graph_parts import MAIN, POSTAMBLE, PREAMBLE, Parts, device_graphs, join, parts_of
from axir.registry import passes

DUMP_SETTINGS = ("graph_cleaner_dump_core_onnx", "graph_cleaner_dump_full_opt_onnx")
DUMP_STAGE = "graph-dump"
"""Writing what these settings ask for."""


def run_graph_passes(module: ModuleOp, session: Session) -> None:
    """From the imported graph to the fused graph of the device, with the host's graphs around it.

    Raises `AxirError`, and `OSError` where a file of the graph cleaner cannot be written.
    """
    config = session.config
    for name in GRAPH_PASSES:
        parts = parts_of(module)
        if name == "split-host":
            _dump(join(MAIN, list(parts.values())), session, config.graph_cleaner_dump_full_opt_onnx)
        if name == "validate-operators":
            for index, segment in enumerate(device_graphs(module)):
                path = config.graph_cleaner_dump_core_onnx
                _dump(segment, session, None if path is None else path.with_name(numbered(path.name, index)))
        if (
            name == "drop-host-parts"
            and not config.graph_cleaner_split_pre_post_processing
            and any(part in parts for part in (PREAMBLE, POSTAMBLE))
        ):
            _warn_of_dropped(parts, session)
        session.run(module, name)
        if name == "force-split" and config.graph_cleaner_condition is not None and len(parts_of(module)) == 1:
            session.warning(
                f"graph_cleaner_condition: no {config.graph_cleaner_node} node exceeds graph_cleaner_threshold "
                f"{config.graph_cleaner_threshold}; nothing is split off by force"
            )


def warn_of_unused(session: Session) -> None:
    """Say which settings come too late for a model that these passes have left already."""
    options = [option for pass_ in GRAPH_PASSES for option in option_settings(passes()[pass_].load()).values()]
    late = [name for name in session.config.changed() if name in (*options, *DUMP_SETTINGS)]
    if late:
        session.warning(f"the model is past the graph passes: {', '.join(late)} changes nothing")


def _dump(graph: ax.GraphOp, session: Session, path: Path | None) -> None:
    """Write a graph as an ONNX model of float numbers, if there is a path for it."""
    if path is None:
        return
    from axir.backends.onnx.export import export_graph

    with session.stage(DUMP_STAGE):
        model, _ = export_graph(graph, session.context.store)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_open(path) as file:
            file.write(model.SerializeToString(deterministic=True))
    session.message(f"wrote {path}")


def _warn_of_dropped(parts: Parts, session: Session) -> None:
    host = [op for name, graph in parts.items() if name in (PREAMBLE, POSTAMBLE) for op in operators(graph)]
    dropped = ", ".join(f"{layer_name(op)} ({operator_name(op)})" for op in host) or "a reordering of outputs"
    kept = [graph for name, graph in parts.items() if name not in (PREAMBLE, POSTAMBLE)]
    given = [name.data for graph in kept for name in graph.outputs]
    taken = dict.fromkeys(name.data for graph in kept for name in graph.inputs if name.data not in given)
    last = [name.data for name in (parts[POSTAMBLE].inputs if POSTAMBLE in parts else kept[-1].outputs)]
    session.warning(
        f"graph_cleaner_split_pre_post_processing is false: the compiled model leaves out {dropped}; it takes "
        f"{', '.join(taken)} and gives {', '.join(name for name in last if name in given)}"
    )
