"""Who may import whom. docs/architecture.md explains the layers; this reads the source files and holds them to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from shared import CHECKOUT

ROOTS = {
    "axir": CHECKOUT / "axir",
    "axir.passes": CHECKOUT / "passes",
    "axir.frontends": CHECKOUT / "frontends",
    "axir.backends": CHECKOUT / "backends",
}
"""The folders of the package: three of them are links inside the first, which globbing does not follow."""

MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "axir.numerics": (),
    "axir.ir": ("axir.registry",),
    "axir.registry": ("axir.ir.diagnostics",),
    "axir.target": ("axir.ir.diagnostics",),
    "axir.dialects": ("axir.ir", "axir.target.isa"),
    "axir.frontends": ("axir.dialects", "axir.ir"),
    "axir.interp": ("axir.dialects", "axir.frontends.onnx", "axir.ir", "axir.numerics"),
    "axir.passes": (
        "axir.backends", "axir.dialects", "axir.interp", "axir.ir", "axir.numerics", "axir.target",
    ),
    "axir.backends.aipu": ("axir.dialects", "axir.ir", "axir.numerics", "axir.target"),
    "axir.backends.aipu.simulator": (
        "axir.backends.aipu.accesses", "axir.backends.aipu.order", "axir.backends.aipu.structure",
        "axir.backends.aipu.tables", "axir.ir.diagnostics", "axir.numerics", "axir.target",
    ),
    "axir.backends.onnx": ("axir.dialects", "axir.frontends.onnx", "axir.ir", "axir.passes.fuse_epilogue"),
    "axir.backends.qdq": ("axir.dialects", "axir.ir", "axir.numerics"),
    "axir.runtime": ("axir.backends.aipu", "axir.ir", "axir.numerics", "axir.target"),
}  # fmt: skip
"""By package, what it may import of AXIR beside itself. The longest name that fits a module is its package; the driver
(`axir.compiler`) and the tools, which connect everything, are not listed."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the package by its name."""
    found: dict[str, Path] = {}
    for package, folder in ROOTS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


def imported(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, those inside functions and for type checkers included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                base = ".".join([*parts[: len(parts) - node.level + is_package], *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


@cache
def imports_of(module: str) -> tuple[tuple[int, str], ...]:
    """(line, module of AXIR) of every import of `module`; an imported name stands for the module that holds it."""
    path = modules()[module]
    found: list[tuple[int, str]] = []
    for line, name in imported(path.read_text("utf-8"), module, path.name == "__init__.py"):
        if name.split(".")[0] == "axir":
            while name not in modules():
                name = name.rpartition(".")[0]
            found.append((line, name))
    return tuple(found)


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def package_of(module: str) -> str | None:
    return max((package for package in MAY_IMPORT if inside(module, package)), key=len, default=None)


def closure(*packages: str) -> set[str]:
    """Everything that importing the modules of `packages` can load, the packages around each module included."""
    found: set[str] = set()
    pending = [module for module in modules() if any(inside(module, package) for package in packages)]
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += [name for _, name in imports_of(module)]
            pending += [above] if (above := module.rpartition(".")[0]) in modules() else []
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_what_they_may(package: str) -> None:
    allowed = (package, *MAY_IMPORT[package])
    members = [module for module in modules() if package_of(module) == package]
    assert members, f"there is no {package}: correct MAY_IMPORT"
    for module in members:
        for line, name in imports_of(module):
            if name == "axir":  # its version
                continue
            assert any(inside(name, other) for other in allowed), f"{modules()[module]}:{line}: imports {name}"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_permissions_are_used(package: str) -> None:
    """So that the table describes the code."""
    used = [name for module in modules() if package_of(module) == package for _, name in imports_of(module)]
    for other in MAY_IMPORT[package]:
        assert any(inside(name, other) for name in used), f"{package} does not import {other}"


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("axir.dialects", ("axir.passes", "axir.backends", "axir.frontends", "axir.interp", "axir.compiler")),
        ("axir.frontends", ("axir.passes", "axir.backends", "axir.interp", "axir.compiler")),
        ("axir.backends.aipu.simulator", ("axir.passes", "axir.dialects", "axir.interp", "axir.compiler")),
        ("axir.interp", ("axir.passes", "axir.backends", "axir.target", "axir.compiler")),
        ("axir.runtime", ("axir.passes", "axir.interp", "axir.compiler")),
    ],
)
def test_layers_do_not_reach_up(package: str, forbidden: tuple[str, ...]) -> None:
    """Not even through other modules. The registry names all dialects and passes, but imports none."""
    for module in sorted(closure(package)):
        assert not any(inside(module, other) for other in forbidden), f"{package} depends on {module}"


def test_reference_and_simulator_share_arithmetic_only() -> None:
    """Their agreement is evidence only as far as they are independent."""
    common = closure("axir.interp.axq") & closure("axir.backends.aipu.simulator")
    errors = {"axir.ir.diagnostics", "axir.ir.location"}  # and how they are located
    assert common == {"axir", "axir.ir", "axir.numerics"} | errors
    for package in ("axir", "axir.ir"):
        statements = ast.parse(modules()[package].read_text("utf-8")).body
        assert all(isinstance(s, ast.Expr | ast.Assign) for s in statements), f"{package} does more than name itself"


def python_files() -> list[Path]:
    folders = [*ROOTS.values(), *(CHECKOUT / name for name in ("bench", "examples", "test", "tools"))]
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def names_core(source: str) -> list[str]:
    """The imports of xDSL's private `.core` modules, which it moves between releases."""
    names = [name for _, name in imported(source, "module")]
    return [name for name in names if re.match(r"xdsl\..*\bcore(\.|$)", name)]


def test_xdsl_is_imported_by_its_public_packages() -> None:
    found = {path: names for path in python_files() if (names := names_core(path.read_text("utf-8")))}
    assert not found


def test_architecture_page_has_the_table() -> None:
    """docs/architecture.md: a row a package, `| package | what it may import |`."""
    page = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(axir\.[\w.]+)` \| (.*?) \|$", page, re.MULTILINE))
    assert {package: tuple(re.findall(r"`([\w.]+)`", text)) for package, text in rows.items()} == dict(MAY_IMPORT)


# The checks themselves.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import axir.passes.quantize", "axir.passes.quantize"),
        ("import axir.passes.quantize as q", "axir.passes.quantize"),
        ("from axir.passes import quantize", "axir.passes.quantize"),
        ("def f():\n    from axir.passes.quantize import Quantize", "axir.passes.quantize.Quantize"),
        ("if TYPE_CHECKING:\n    import axir.passes", "axir.passes"),
        ("from . import quantize", "axir.dialects.quantize"),
        ("from ..passes import quantize", "axir.passes.quantize"),
    ],
)
def test_imports_are_found(source: str, expected: str) -> None:
    assert [name for _, name in imported(source, "axir.dialects.ax")] == [expected]


def test_relative_imports_of_a_package_start_in_it() -> None:
    assert [name for _, name in imported("from .x import y", "axir.dialects", is_package=True)] == ["axir.dialects.x.y"]


def test_core_is_found() -> None:
    assert names_core("from xdsl.ir.core import Operation")
    assert names_core("import xdsl.parser.core")
    assert names_core("from xdsl.ir import core")
    assert not names_core("from xdsl.ir import Operation\nfrom coremod import core\nimport xdsl.dialects.score")


def test_names_resolve_to_modules() -> None:
    assert ("axir.numerics") in [name for _, name in imports_of("axir.interp.axq")]
    assert package_of("axir.backends.aipu.simulator.vector") == "axir.backends.aipu.simulator"
    assert package_of("axir.compiler.driver") is None
