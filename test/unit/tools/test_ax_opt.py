from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared import CHECKOUT

from axir import registry
from axir.ir.store import WeightStore
from axir.registry import PassEntry
from axir.tools.ax_opt import main


@pytest.fixture
def weights() -> WeightStore:
    store = WeightStore()
    for value in range(3):
        store.put(np.full(100, value, dtype=np.float32))
    return store


@pytest.fixture
def module(tmp_path: Path, weights: WeightStore) -> Path:
    """A module that refers to the first of three weights, once directly and once inside an array."""
    key = next(iter(weights.keys()))
    weight = f'#ax.weight<"{key}", tensor<100xf32>>'
    path = tmp_path / "in.mlir"
    path.write_text(f'"test.op"() {{a = {weight}, b = [{{c = {weight}}}]}} : () -> ()')
    return path


@pytest.mark.parametrize("name", ["in.safetensors", "weights.safetensors"])
def test_weights_beside_the_input_are_found_and_written(module: Path, weights: WeightStore, name: str) -> None:
    weights.save(module.with_name(name), weights.keys())
    assert main([str(module), "-o", str(module.with_name("out.mlir"))]) == 0
    written = WeightStore.open(module.with_name("out.safetensors"))
    assert list(written.keys()) == [next(iter(weights.keys()))]
    assert 'loc("' in module.with_name("out.mlir").read_text()


def test_weights_option(module: Path, weights: WeightStore, tmp_path: Path) -> None:
    weights.save(tmp_path / "elsewhere", weights.keys())
    assert main([str(module), "--weights", str(tmp_path / "elsewhere"), "-o", str(tmp_path / "o.mlir")]) == 0
    assert (tmp_path / "o.safetensors").exists()


def test_no_weights_no_file(module: Path, tmp_path: Path) -> None:
    assert main([str(module), "-o", str(tmp_path / "o.mlir")]) == 0
    assert not (tmp_path / "o.safetensors").exists()


def test_failure_leaves_no_output(module: Path, tmp_path: Path) -> None:
    module.write_text('func.func @f() { "test.op"() : () -> () }')
    assert main([str(module), "-o", str(tmp_path / "o.mlir")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mlir"]


def test_output_is_input_again(module: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.mlir", tmp_path / "2.mlir"
    assert main([str(module), "-o", str(one)]) == 0
    assert main([str(one), "-o", str(two)]) == 0
    assert one.read_bytes() == two.read_bytes()


def test_list_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-passes"]) == 0
    assert "canonicalize\n    fold" in capsys.readouterr().out


def test_not_a_text_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.mlir").write_bytes(b"\xff\xfe\x00")
    assert main([str(tmp_path / "x.mlir")]) == 1
    assert "not a text file" in capsys.readouterr().err


def test_reproducer(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PASSES, "breaks", PassEntry("failing_passes", "Breaks", ""))
    reproducer = tmp_path / "r.mlir"
    assert main([str(module), "-p", "cse,breaks{times=2},dce", "--reproducer", str(reproducer)]) == 1
    first, rest = reproducer.read_text().split("\n", 1)
    assert first == f"// ax-opt {reproducer} -p 'breaks{{times=2}},dce'"
    assert rest.startswith("builtin.module {")


def test_invalid_ir_names_the_pass(
    module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.PASSES, "breaks", PassEntry("failing_passes", "Breaks", ""))
    assert main([str(module), "-p", "breaks"]) == 1
    assert "note: pass 'breaks' produced this; it is a defect of the pass" in capsys.readouterr().err
    assert main([str(module), "-p", "breaks", "--no-verify-each"]) == 0


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder that looks like an installed package with an AXIR plug-in."""
    (tmp_path / "plug.py").write_text(
        "from axir.registry import DIALECTS, PassEntry\n"
        "class Plugin:\n"
        "    dialects = {'extra': DIALECTS['test']}\n"
        "    passes = {'extra-pass': PassEntry('failing_passes', 'Breaks', 'breaks things')}\n"
    )
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[axir.plugins]\nplug = plug:Plugin\n")
    return tmp_path


def run_with_plugin(plugin: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(plugin), str(CHECKOUT / "test")])
    return subprocess.run(
        [sys.executable, "-m", "axir.tools.ax_opt", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_plugin_adds_passes(plugin: Path) -> None:
    listed = run_with_plugin(plugin, "--list-passes")
    assert "extra-pass\n    breaks things\n    times=<int>  (default 1)\n" in listed.stdout


def test_plugin_must_not_redefine(plugin: Path) -> None:
    file = plugin / "plug.py"
    file.write_text(file.read_text().replace("extra-pass", "cse"))
    listed = run_with_plugin(plugin, "--list-passes")
    assert (listed.returncode, listed.stdout) == (1, "")
    assert listed.stderr.startswith("error: plug-in 'plug': pass 'cse' exists already\n")


def test_plugin_that_cannot_be_loaded(plugin: Path) -> None:
    (plugin / "plug.py").write_text("import nothing_of_this_name")
    failed = run_with_plugin(plugin, "--list-passes")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: plug-in 'plug' (plug:Plugin) cannot be loaded: No module named")


def test_heavy_libraries_are_not_loaded_for_text(module: Path) -> None:
    code = (
        "import sys; from axir.tools.ax_opt import main; main([sys.argv[1], '-p', 'canonicalize,cse']);"
        "sys.exit(bool({'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code, str(module)], check=True, capture_output=True, timeout=60)


def test_help_does_not_load_xdsl() -> None:
    code = (
        "import sys; from axir.tools.ax_opt import main\n"
        "try: main(['--help'])\nexcept SystemExit: sys.exit('xdsl' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
