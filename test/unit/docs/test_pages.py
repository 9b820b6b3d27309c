"""The developer documentation is true: its examples run, its tables are current, what it names exists."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from shared import CHECKOUT
from xdsl.interfaces import HasCanonicalizationPatternsInterface, HasFolderInterface

from axir.dialects import aipu, ax, axq
from axir.registry import PASSES
from axir.target.description import load

DOCS = CHECKOUT / "docs"
PAGES = ("architecture.md", "passes.md", "tutorial-first-pass.md")
EXAMPLE = CHECKOUT / "examples" / "first_pass"


@cache
def tool(name: str) -> ModuleType:
    """A script of tools/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_current(page: str) -> None:
    assert tool("doc_snippets").current(text(page)) == text(page), "run tools/doc_snippets.py and read the difference"


def test_pass_tables_are_current() -> None:
    page = text("passes.md")
    assert tool("write_passes_doc").current(page) == page, "run tools/write_passes_doc.py and read the difference"


def test_operator_tables_are_current() -> None:
    page = text("operators.md")
    assert tool("write_operators_doc").current(page) == page, "run tools/write_operators_doc.py"


def test_every_pass_has_a_section_with_options_and_an_example() -> None:
    page = text("passes.md")
    assert not tool("write_passes_doc").undocumented(page)
    for name in PASSES:
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert re.search(rf"^// ax-opt \S+ -p '?\S*\b{name}\b", section, re.MULTILINE), f"{name} has no example"


def test_every_pass_of_axir_has_filecheck_tests() -> None:
    tests = [path.read_text("utf-8") for path in (CHECKOUT / "test" / "filecheck").rglob("*.mlir")]
    lines = [line for test in tests for line in test.splitlines() if "RUN:" in line]
    for name, entry in PASSES.items():
        if entry.module.startswith("axir."):
            assert any(re.search(rf"ax-opt .*-p '?{name}\b", line) for line in lines), f"no test runs {name} alone"


def test_operations_have_no_folders_of_their_own() -> None:
    """As docs/passes.md says of the pass `canonicalize`."""
    for dialect in (ax.Ax, axq.Axq, aipu.Aipu):
        for op in dialect.operations:
            assert not issubclass(op, HasFolderInterface | HasCanonicalizationPatternsInterface)


@pytest.mark.parametrize("page", [*(f"docs/{page}" for page in PAGES), "docs/output.md", "CONTRIBUTING.md"])
def test_named_files_and_links_exist(page: str) -> None:
    path = CHECKOUT / page
    content = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", content):
        assert not target or (path.parent / target).exists(), f"link to {target}"
    for name in re.findall(r"`((?:axir|passes|frontends|backends|test|tools|docs|examples|bench)/[\w./*-]+)`", content):
        assert list(CHECKOUT.glob(name.rstrip("/"))), f"{name} does not exist"
    for anchor_page, anchor in re.findall(r"\]\(([^)#]*)#([^)]*)\)", content):
        target = path.parent / anchor_page if anchor_page else path
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in [heading.lower().replace(" ", "-") for heading in headings], f"no heading #{anchor}"


def test_device_figures_are_those_of_the_description() -> None:
    """`section.figure` (value), wherever a page names a value."""
    figures = load().figures
    named = [match for page in PAGES for match in re.findall(r"`(\w+\.\w+)` \((\d+)\)", text(page))]
    assert named
    for name, value in named:
        assert figures[name].value == int(value), name


def test_tree_is_the_tree() -> None:
    """The folders in docs/architecture.md are those that hold Python files; tests are listed by kind."""
    block = text("architecture.md").split("## The tree")[1].split("```")[1]
    listed: list[str] = []
    parents: list[str] = []
    for line in block.splitlines()[1:]:
        indent, name = len(line) - len(line.lstrip()), line.split()[0].rstrip("/")
        parents[indent // 2 :] = [name]
        listed.append("/".join(parents))
    for folder in listed:
        assert (CHECKOUT / folder).is_dir(), folder
    roots = ("axir", "frontends", "passes", "backends", "tools", "bench", "examples")
    found = {
        path.parent.relative_to(CHECKOUT).as_posix()
        for root in roots
        for path in (CHECKOUT / root).rglob("*.py")
        if "build" not in path.parts
    }
    inside_examples = {folder for folder in found if folder.startswith("examples/first_pass/")}
    assert sorted(found - inside_examples - set(listed)) == []


# The tutorial.


@pytest.fixture
def installed(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the example, and an environment in which it is installed."""
    project = tmp_path / "first_pass"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    entries = tool("doc_snippets").install(project, tmp_path)
    return project, os.environ | {"PYTHONPATH": os.pathsep.join(entries)}


def run(command: list[str], environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_plugin_is_listed(installed: tuple[Path, dict[str, str]]) -> None:
    project, environment = installed
    done = run([sys.executable, "-m", "axir.tools.ax_opt", "--list-passes"], environment, project)
    assert done.returncode == 0, done.stderr
    assert "activation-before-pool\n    move activations" in done.stdout
    assert "activations=<relu|clip,...>" in done.stdout


def test_tests_of_the_plugin_pass_and_can_fail(installed: tuple[Path, dict[str, str]]) -> None:
    project, environment = installed
    lit = [sys.executable, "-c", "from lit.main import main; main()", "-v", "test"]
    done = run(lit, environment, project)
    assert done.returncode == 0, done.stdout
    assert "PASS: first-pass :: activation-before-pool.mlir" in done.stdout
    source = project / "first_pass" / "activation_before_pool.py"
    broken = source.read_text("utf-8").replace(
        "        if not isinstance(op, self.kinds)", "        return\n        if not isinstance(op, self.kinds)"
    )
    assert broken != source.read_text("utf-8")
    source.write_text(broken, "utf-8")
    done = run(lit, environment, project)
    assert done.returncode == 1
    assert "FAIL: first-pass :: activation-before-pool.mlir" in done.stdout


def network(path: Path) -> None:
    """conv, max pool, relu."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["v"], name="conv"),
        helper.make_node("MaxPool", ["v"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["p"], ["y"], name="relu"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 4, 4])]
    weights = [numpy_helper.from_array(rng.normal(size=(8, 3, 1, 1)).astype(np.float32), "w")]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_pass_runs_on_a_network_and_axc_goes_on(installed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    _, environment = installed
    network(tmp_path / "model.onnx")
    samples = np.random.default_rng(1).normal(size=(4, 1, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    passes = "canonicalize-graph,activation-before-pool"
    opt = [sys.executable, "-m", "axir.tools.ax_opt", "model.onnx", "-p", passes, "-o", "model.mlir"]
    done = run(opt, environment, tmp_path)
    assert done.returncode == 0, done.stderr
    moved = (tmp_path / "model.mlir").read_text("utf-8")
    assert moved.index("ax.relu") < moved.index("ax.max_pool")
    assert re.search(r'ax\.relu .* loc\("relu"\(', moved)
    assert re.search(r'ax\.max_pool .* loc\("pool"\(', moved)
    axc = [
        sys.executable,
        "-m",
        "axir.tools.axc",
        "model.mlir",
        "-o",
        "out",
        "--calibration",
        "samples.npz",
        "--check",
        "1",
    ]
    done = run(axc, environment, tmp_path)
    assert done.returncode == 0, done.stderr
    # The ReLU is no layer of its own.
    report = (tmp_path / "out" / "compiled_model" / "report.json").read_text("utf-8")
    assert '"conv"' in report
    assert '"relu"' not in report


def test_pass_keeps_what_the_network_computes(
    installed: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graph_runs import graphs, interpret, random_inputs

    from axir.frontends.onnx import import_model
    from axir.ir.context import make_context

    project, _ = installed
    monkeypatch.syspath_prepend(str(project))
    from first_pass.activation_before_pool import ActivationBeforePool

    network(tmp_path / "model.onnx")
    ctx = make_context()
    module = import_model(tmp_path / "model.onnx", ctx)
    inputs = random_inputs(graphs(module)[0], seed=3)
    before = interpret(ctx, module, inputs)
    ActivationBeforePool().apply(ctx, module)
    kinds = [op.name for op in graphs(module)[0].body.block.ops if not isinstance(op, ax.ConstantOp)]
    assert kinds == ["ax.conv", "ax.relu", "ax.max_pool", "ax.return"]
    after = interpret(ctx, module, inputs)
    np.testing.assert_array_equal(after["y"], before["y"])


# The tools themselves.


def test_stale_output_is_replaced() -> None:
    page = (
        "```mlir\n// a.mlir\nax.graph @main() -> () { ax.return }\n```\n\n```mlir\n// ax-opt a.mlir -p dce\nold\n```\n"
    )
    fresh = tool("doc_snippets").current(page)
    assert "old" not in fresh
    assert "ax.graph @main() -> () {\n    ax.return\n  }" in fresh
    assert tool("doc_snippets").current(fresh) == fresh


@pytest.mark.parametrize(
    "block",
    [
        "mlir\n// ax-opt missing.mlir\n",  # fails where output is shown
        "console\n$ ax-opt --version\n",  # succeeds where an error is shown
        "python\n# a.py\nraise SystemExit(3)\n",
    ],
)
def test_blocks_that_do_not_do_what_they_show_are_refused(block: str) -> None:
    with pytest.raises((ValueError, SystemExit)):
        tool("doc_snippets").current(f"```{block}```\n")


def test_unknown_table_is_refused() -> None:
    with pytest.raises(KeyError):
        tool("write_passes_doc").current("<!-- table: options no-such-pass -->\n<!-- end -->\n")
    assert tool("write_passes_doc").current("<!-- table: options dce -->\nold\n<!-- end -->\n") == (
        "<!-- table: options dce -->\nIt has no options.\n<!-- end -->\n"
    )
