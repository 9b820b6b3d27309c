"""YAML, TOML and JSON as trees that know their places; documents that are malformed, or meant to hurt."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli
import yaml
from hypothesis import given
from hypothesis import strategies as st

from axir.compiler.config.json_file import read_json
from axir.compiler.config.node import MAX_BYTES, Entries, Node
from axir.compiler.config.toml_file import read_toml
from axir.compiler.config.yaml_file import read_yaml
from axir.ir.diagnostics import AxirError

Reader = Callable[[Path], Node]


def write(folder: Path, content: str | bytes, name: str = "file") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def error_of(reader: Reader, file: Path) -> str:
    with pytest.raises(AxirError) as error:
        reader(file)
    return error.value.render().replace(str(file), "FILE")


def at(node: Node, *steps: str | int) -> Node:
    for step in steps:
        if isinstance(step, int):
            node = node.items[step]
        else:
            assert isinstance(node.value, Entries)
            node = node.value.by_key[step].node
    return node


def positions(node: Node, *steps: str | int) -> tuple[int, int]:
    place = at(node, *steps).place
    return place.line, place.column


TOML = '''# comment = 1
a = 1 # a = 2
"b c"   = """
x = [1]
"" " """" # comment
d.e . f = {x=1, "y z" = [ 1, # ]
  "]" , 3 ] , }
list = ["a",
   'b]', # one
   """c
""", 1979-05-27 07:32:00]
[t . "q"]  # ]
z = 'x'
u."v".w = """a\\"b"""
\t[ other ]\t
end = true'''


def test_toml_positions(tmp_path: Path) -> None:
    node = read_toml(write(tmp_path, TOML))
    assert node.plain() == tomli.loads(TOML)
    assert positions(node, "a") == (2, 5)
    assert positions(node, "b c") == (3, 11)
    assert positions(node, "d", "e", "f") == (6, 11)
    assert positions(node, "d", "e", "f", "x") == (6, 14)
    assert positions(node, "d", "e", "f", "y z") == (6, 25)
    assert [positions(node, "d", "e", "f", "y z", index) for index in range(3)] == [(6, 27), (7, 3), (7, 9)]
    assert [positions(node, "list", index) for index in range(4)] == [(8, 9), (9, 4), (10, 4), (11, 6)]
    assert positions(node, "t", "q", "z") == (13, 5)
    assert positions(node, "t", "q", "u", "v", "w") == (14, 11)
    assert positions(node, "other", "end") == (16, 7)
    assert isinstance(node.value, Entries)
    keys = {key: (entry.place.line, entry.place.column) for key, entry in node.value.by_key.items()}
    assert keys == {"a": (2, 1), "b c": (3, 1), "d": (6, 1), "list": (8, 1), "t": (12, 2), "other": (15, 4)}


def test_toml_with_windows_line_ends(tmp_path: Path) -> None:
    node = read_toml(write(tmp_path, "a = 1\r\n\r\nb = [\r\n  2]\r\n"))
    assert (positions(node, "a"), positions(node, "b"), positions(node, "b", 0)) == ((1, 5), (3, 5), (4, 3))


toml_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
toml_scalar = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False), toml_text)


@given(
    document=st.dictionaries(toml_text, st.one_of(toml_scalar, st.lists(toml_scalar, max_size=3)), max_size=5),
    data=st.data(),
)
def test_toml_positions_are_those_of_the_text(
    document: dict[str, object], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Write a document piece by piece, remember where each value begins, and compare."""
    blank = st.sampled_from(["", " ", "\t", "  "])
    filler = st.sampled_from(["", "\n", "# x = 1\n", "  \n# [t]\n"])
    text, expected = "", {}
    for key, value in document.items():
        text += (
            data.draw(filler)
            + data.draw(blank)
            + json.dumps(key, ensure_ascii=False)
            + data.draw(blank)
            + "="
            + data.draw(blank)
        )
        expected[key] = len(text)
        rendered = json.dumps(value, ensure_ascii=False).replace("Infinity", "inf")  # apart from it, such JSON is TOML
        text += rendered + data.draw(blank) + data.draw(st.sampled_from(["\n", " # y\n"]))
    node = read_toml(write(tmp_path_factory.mktemp("toml"), text))
    assert node.plain() == document
    for key, offset in expected.items():
        line_start = text.rfind("\n", 0, offset) + 1
        assert positions(node, key) == (text.count("\n", 0, offset) + 1, offset - line_start + 1)


YAML = """\
# comment
models:
  "a b": {x: 1, y: [2, 'three']}
  text: |
    lines
  numbers:
    - 0x10
    - -1e5
    - .5
  none: ~
  empty:
  flags: [yes, False]
  date: 2020-01-01
  plain: ${{input_height}}
"""


def test_yaml_positions(tmp_path: Path) -> None:
    node = read_yaml(write(tmp_path, YAML))
    assert node.plain() == {
        "models": {
            "a b": {"x": 1, "y": [2, "three"]},
            "text": "lines\n",
            "numbers": [16, -1e5, 0.5],
            "none": None,
            "empty": None,
            "flags": [True, False],
            "date": "2020-01-01",
            "plain": "${{input_height}}",
        }
    }
    assert positions(node, "models") == (3, 3)
    assert positions(node, "models", "a b", "x") == (3, 14)
    assert positions(node, "models", "a b", "y", 1) == (3, 24)
    assert positions(node, "models", "text") == (4, 9)
    assert positions(node, "models", "numbers", 1) == (8, 7)


def test_json_positions(tmp_path: Path) -> None:
    text = '{\t"a": 1,\n "b" : [ -2.5e3 ,null,{"c":"x\\"]"} ],\n"d":{}, "e": [], "\\u00e9":true}'
    node = read_json(write(tmp_path, text))
    assert node.plain() == json.loads(text)
    assert positions(node, "a") == (1, 8)
    assert [positions(node, "b", index) for index in range(3)] == [(2, 10), (2, 18), (2, 23)]
    assert positions(node, "b", 2, "c") == (2, 28)
    assert positions(node, "é") == (3, 27)


json_value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=12,
)


@given(value=json_value, indent=st.sampled_from([None, 0, 2]))
def test_json_is_what_the_library_reads(
    value: object, indent: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = json.dumps(value, indent=indent)
    assert read_json(write(tmp_path_factory.mktemp("json"), text)).plain() == json.loads(text)


@given(value=json_value.filter(lambda value: value is not None))
def test_yaml_is_what_the_library_reads(value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert read_yaml(write(tmp_path_factory.mktemp("yaml"), text)).plain() == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "FILE:3:1: error: the key 'a' is given twice\nnote: first at FILE:1:1"),
        ("a: &x 1\n", "FILE:1:4: error: the anchor '&x'"),
        ("a:\n  <<: {b: 1}\n", "FILE:2:3: error: the merge key '<<' is not supported"),
        ("a:\n  - *x\n", "FILE:2:5: error: the alias '*x'"),
        ("a: !!python/object:os.system x\n", "FILE:1:4: error: the tag 'tag:yaml.org,2002:python/object:os.system'"),
        ("a: !mine 1\n", "FILE:1:4: error: the tag '!mine'"),
        ("a:\n\t- 1\n", "FILE:2:1: error: not valid YAML: found character '\\t'"),
        ("a: b: c\n", "FILE:1:5: error: not valid YAML: mapping values are not allowed here"),
        ("a: [1, 2\nb: 3\n", "FILE:2:2: error: not valid YAML: expected ',' or ']'"),
        ("", "FILE:1:1: error: the document is empty"),
        ("# nothing\n", "FILE:1:1: error: the document is empty"),
        ("---\n...\n", "FILE:2:1: error: the document is empty"),
        ("a: 1\n---\nb: 2\n", "FILE:2:1: error: a second document starts"),
        ("? [1, 2]\n: 3\n", "FILE:1:3: error: a list or a mapping as a key"),
        ("[" * 40, "FILE:1:34: error: nested deeper than 32 levels"),
        ("- " * 40, "FILE:1:67: error: nested deeper than 32 levels"),
        (b"a: \xff\n", "FILE:1:4: error: not valid YAML: byte 0xff is not UTF-8"),
        (b"a: 1\nb: \xc3\xa9\xe9\n", "FILE:2:5: error: not valid YAML: byte 0xe9 is not UTF-8"),
        ("a: 1".encode("utf-16"), "FILE:1:1: error: not valid YAML: byte 0xff is not UTF-8"),
        ("a: 1\nb: \x07\n", "FILE:2:4: error: not valid YAML: the character U+0007 is not allowed"),
        (b"a: 1\n" * MAX_BYTES, "FILE:1:1: error: the file has more than 64 KiB"),
    ],
)
def test_malformed_yaml(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert error_of(read_yaml, write(tmp_path, content)).startswith(message)


def test_tabs_in_yaml_are_explained(tmp_path: Path) -> None:
    assert "note: YAML indents with spaces" in error_of(read_yaml, write(tmp_path, "a:\n\tb: 1\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a = 1\nb = 2\n a = 3\n", "FILE:3:7: error: not valid TOML: Cannot overwrite a value"),
        ("[t]\na = 1\n[t]\n", "FILE:3:3: error: not valid TOML: Cannot declare ('t',) twice"),
        ("a = \n", "FILE:1:5: error: not valid TOML: Invalid value"),
        ("a = 'x", 'FILE:1:7: error: not valid TOML: Expected "\'", at the end of the file'),
        ("a = 1 b = 2\n", "FILE:1:7: error: not valid TOML: Expected newline or end of document"),
        ("a = " + "[" * 40 + "]" * 40, "FILE:1:37: error: nested deeper than 32 levels"),
        ("a = " + "[" * 9999, "FILE:1:37: error: nested deeper than 32 levels"),
        (
            "a = '" + "[" * 99 + "'\n#" + "{" * 99 + '\nb = """' + "[\n" * 99 + '"""\nb = 1',
            "FILE:103:6: error: not valid",
        ),
        (".".join("a" * 40) + " = 1", "FILE:1:65: error: nested deeper than 32 levels"),
        ("a = 1" + "0" * 5000, "FILE: error: not valid TOML: Exceeds the limit"),
        (b"\xff\xfe\x00", "FILE:1:1: error: not valid TOML: byte 0xff is not UTF-8"),
        (b"a = 1\n" * MAX_BYTES, "FILE:1:1: error: the file has more than 64 KiB"),
    ],
)
def test_malformed_toml(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert error_of(read_toml, write(tmp_path, content)).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1,\n "a": 2}', "FILE:2:2: error: the key 'a' is given twice\nnote: first at FILE:1:2"),
        ('{"a": }', "FILE:1:7: error: not valid JSON: Expecting value"),
        ("", "FILE:1:1: error: not valid JSON: Expecting value"),
        ("[" * 40 + "]" * 40, "FILE:1:33: error: nested deeper than 32 levels"),
        ("[" * 9999, "FILE:1:33: error: nested deeper than 32 levels"),
        ('["' + "[" * 99 + '"}', "FILE:1:103: error: not valid JSON: Expecting ',' delimiter"),
        ("1" + "0" * 5000, "FILE: error: not valid JSON: Exceeds the limit"),
        (b'{"a": "\xe9"}', "FILE:1:8: error: not valid JSON: byte 0xe9 is not UTF-8"),
        (b"[1]" + b" " * MAX_BYTES, "FILE:1:1: error: the file has more than 64 KiB"),
    ],
)
def test_malformed_json(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert error_of(read_json, write(tmp_path, content)).startswith(message)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    for reader, text in ((read_yaml, "a: 1"), (read_toml, "a = 1"), (read_json, '{"a": 1}')):
        node = reader(write(tmp_path, b"\xef\xbb\xbf" + text.encode()))
        assert node.plain() == {"a": 1}
        assert positions(node, "a")[1] == text.index("1") + 1


def test_a_folder_is_an_os_error(tmp_path: Path) -> None:
    for reader in (read_yaml, read_toml, read_json):
        with pytest.raises(OSError, match=str(tmp_path)):
            reader(tmp_path)


def billion_laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


TEN_MB = 10 << 20
HOSTILE = {
    "laughs.yaml": billion_laughs(),
    "merged.yaml": "a: {<<: &x {b: 1}}\n" * 5000,
    "nested.yaml": "[" * TEN_MB,
    "dashes.yaml": "- " * (TEN_MB // 2),
    "indented.yaml": "".join(" " * n + "a:\n" for n in range(350)),
    "just_nested.yaml": "models: " + "[" * (MAX_BYTES - 10),
    "just_dashes.yaml": "- " * (MAX_BYTES // 2),
    "dense.yaml": "models: [" + "1," * (MAX_BYTES // 2 - 10) + "]",
    "many_keys.yaml": "".join(f"k{n}:\n" for n in range(9000)),
    "long_string.yaml": 'models: "' + "\\x41" * 15000,
    "comments.yaml": "#" * (MAX_BYTES - 1),
    "blank.yaml": "models:\n" + " " * (MAX_BYTES - 20) + "b",
    "nested.toml": "a = " + "[" * TEN_MB,
    "just_nested.toml": "a = " + "[" * (MAX_BYTES - 10),
    "tables.toml": "a = " + "{b=" * (MAX_BYTES // 3 - 10),
    "dotted.toml": "a." * (MAX_BYTES // 2 - 10) + "b = 1",
    "headers.toml": "".join(f"[a{n}]\n" for n in range(9000)),
    "quotes.toml": 'a = """' + '"" ' * 20000 + '"""',
    "long_list.toml": "a = [" + "1," * (MAX_BYTES // 2 - 10) + "]",
    "nested.json": "[" * TEN_MB,
    "just_nested.json": '{"a": ' + "[" * (MAX_BYTES - 10),
    "just_closed.json": '{"set": ' + "[" * 30000 + "]" * 30000 + "}",
    "binary.yaml": os.urandom(4096).hex(),
    "zeros.toml": "\0" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_fail_fast_and_small(tmp_path: Path, name: str) -> None:
    """`axc` refuses them: exit code 1 and a located error, in under a second of CPU time and under 200 MB."""
    file = write(tmp_path, HOSTILE[name], name)
    option = {".yaml": "--explain-config", ".toml": "--config", ".json": "--cli-args"}[file.suffix]
    code = (
        "import resource, sys; from pathlib import Path; from axir.tools.axc import main\n"
        "code = main(sys.argv[1:])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == 'darwin' else 1024))\n"
        "status = Path('/proc/self/status')\n"  # on Linux, ru_maxrss counts the process that this one was forked from
        "peak = [line.split()[1] for line in status.read_text().splitlines() if line.startswith('VmHWM')] "
        "if status.exists() else []\n"
        "print(*(1024 * int(size) for size in peak))\n"
        "sys.exit(code)"
    )
    arguments = [option, str(file)] if file.suffix == ".yaml" else [option, str(file), "--explain-config"]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)),
    )  # fmt: skip
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stderr.startswith(str(file)), result.stderr
    assert "error: " in result.stderr
    assert "Traceback" not in result.stderr
    seconds, *_, memory = map(float, result.stdout.split())
    assert seconds < 1
    assert memory < 200e6
