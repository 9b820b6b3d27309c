"""Modules in files: the text in `NAME.mlir`, the constants it refers to in `NAME.safetensors` beside it."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp
from xdsl.ir import Attribute, Operation, ParametrizedAttribute

from axir.ir.constants import WeightAttr
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.files import write_text
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.ir.verifier import verify


def read_text(path: str | Path) -> str:
    """The text of a file. Raises `OSError`, and `AxirError` when it is not UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise AxirError(f"{path}: not a text file", notes=("expected MLIR text, or a file named *.onnx",)) from None


def weights_path(path: str | Path) -> Path | None:
    """The weights that lie beside a module's text: `NAME.safetensors`, else `weights.safetensors`, else None."""
    own = Path(path).with_suffix(".safetensors")
    return next((file for file in (own, own.with_name("weights.safetensors")) if file.is_file()), None)


def load_weights(ctx: AxContext, path: str | Path) -> None:
    """Add the tensors of a weights file to the context. Raises `OSError` and `AxirError`."""
    ctx.store.update(WeightStore.open(path))


def read_module(ctx: AxContext, path: str | Path) -> ModuleOp:
    """Parse and verify `path`, and add the weights beside it to the context. Raises `OSError` and `AxirError`."""
    module = parse_module(ctx, read_text(path), str(path))
    verify(module)
    beside = weights_path(path)
    if beside is not None:
        load_weights(ctx, beside)
    return module


def write_module(ctx: AxContext, module: ModuleOp, path: str | Path, *, generic: bool = False) -> None:
    """Write the module with its locations, and to `NAME.safetensors` the weights it refers to that the context has.

    No weights file is written when there are none. Both files are whole or absent. Raises `OSError` and `AxirError`.
    """
    text = print_module(module, generic=generic)
    keys = [key for key in weight_keys(module) if key in ctx.store]
    if keys:
        ctx.store.save(Path(path).with_suffix(".safetensors"), keys)
    write_text(path, text)


def weight_keys(module: Operation) -> list[str]:
    """The keys of all weights that the module's attributes and types refer to, each once, in order of appearance."""
    keys: dict[str, None] = {}
    # By identity: hashing an attribute would read its data, and the module keeps all of them alive.
    seen: set[int] = set()

    def visit(attribute: Attribute) -> None:
        if id(attribute) in seen:
            return
        seen.add(id(attribute))
        match attribute:
            case WeightAttr():
                keys[attribute.key.data] = None
            case ParametrizedAttribute():
                for parameter in attribute.parameters:
                    visit(parameter)
            case ArrayAttr():
                for element in attribute:
                    visit(element)
            case DictionaryAttr():
                for value in attribute.data.values():
                    visit(value)
            case _:
                pass

    for op in module.walk():
        for attribute in (*op.properties.values(), *op.attributes.values(), *op.result_types):
            visit(attribute)
        for region in op.regions:
            for block in region.blocks:
                for type_ in block.arg_types:
                    visit(type_)
    return list(keys)
