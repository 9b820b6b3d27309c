"""A lit format that runs `[not] ax-opt ... [2>&1] | ... | filecheck ...` inside the lit worker.

A worker imports xDSL once instead of once per line. A test with any RUN line of another form runs as a ShTest.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lit.formats
import lit.Test
import lit.TestRunner

TIMEOUT = 60  # seconds a test may take when lit has no --timeout

_DEBUG_PREFIX = re.compile(r"^%dbg\([^)]*\)\s*(?:'')?\s*")
_SHELL = "&;<>()"


@dataclass
class Command:
    tool: str
    arguments: list[str]
    negated: bool
    merge_stderr: bool


def parse_line(line: str) -> list[Command] | None:
    """The commands of one pipe, or None when the line needs a shell."""
    commands: list[Command] = []
    for text in split_pipe(line):
        merge = text.rstrip().endswith("2>&1")
        lexer = shlex.shlex(text.replace("2>&1", "") if merge else text, posix=True, punctuation_chars=_SHELL)
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
        negated = words[:1] == ["not"]
        words = words[negated:]
        if not words or any(set(word) <= set(_SHELL) for word in words):
            return None
        commands.append(Command(words[0], words[1:], negated, merge))
    *producers, last = commands
    if any(command.tool != "ax-opt" for command in producers) or last.tool not in ("ax-opt", "filecheck"):
        return None
    return commands


def split_pipe(line: str) -> list[str]:
    """Split at `|` outside of quotes."""
    parts, quote = [""], ""
    for character in line:
        if character == "|" and not quote:
            parts.append("")
            continue
        if character in "'\"" and (not quote or quote == character):
            quote = "" if quote else character
        parts[-1] += character
    return parts


def call(main: Callable[[], int]) -> int:
    """The exit code of a tool, as the shell would see it."""
    try:
        return main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception:
        traceback.print_exc()
        return 3


def run_command(command: Command, stdin: str) -> tuple[int, str, str]:
    """Exit code, what the next command of the pipe reads, and what is left on stderr."""
    out, err = io.StringIO(), io.StringIO()
    saved = sys.stdin
    sys.stdin = io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out if command.merge_stderr else err):
            if command.tool == "ax-opt":
                from axir.tools.ax_opt import main

                code = call(lambda: main(command.arguments))
            else:
                from filecheck.matcher import Matcher
                from filecheck.options import parse_argv_options

                options = parse_argv_options([command.tool, *command.arguments])
                code = call(lambda: Matcher.from_opts(options).run())
    finally:
        sys.stdin = saved
    return code, out.getvalue(), err.getvalue()


def run_pipe(commands: list[Command]) -> str | None:
    """None when every command of the pipe ends as expected, otherwise a report."""
    text, report = "", ""
    for command in commands:
        code, output, errors = run_command(command, text)
        name = " ".join([command.tool, *command.arguments])
        if (code != 0) != command.negated:
            shown = output + errors if command.tool == "ax-opt" else output + errors + "--- its input was\n" + text
            return f"{report}{name}\nexit code {code}\n{shown}"
        report += errors
        text = output
    return None


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


class InProcessTest(lit.formats.ShTest):
    def __init__(self) -> None:
        super().__init__(execute_external=False)

    def execute(self, test, litConfig):
        script = lit.TestRunner.parseIntegratedTestScript(test)
        if isinstance(script, lit.Test.Result):
            return script
        directory, base = lit.TestRunner.getTempPaths(test)
        substitutions = lit.TestRunner.getDefaultSubstitutions(test, directory, base) + list(test.config.substitutions)
        lines = lit.TestRunner.applySubstitutions(
            script, substitutions, {}, recursion_limit=test.config.recursiveExpansionLimit
        )
        lines = [_DEBUG_PREFIX.sub("", str(getattr(line, "command", line))) for line in lines]
        pipes = [parse_line(line) for line in lines]
        if None in pipes:
            return super().execute(test, litConfig)
        os.makedirs(directory, exist_ok=True)
        for line, pipe in zip(lines, pipes, strict=True):
            try:
                with time_limit(litConfig.maxIndividualTestTime or TIMEOUT):
                    report = run_pipe(pipe)
            except TimeoutError as error:
                return lit.Test.Result(lit.Test.TIMEOUT, f"RUN: {line}\n{error}")
            if report is not None:
                return lit.Test.Result(lit.Test.FAIL, f"RUN: {line}\n{report}")
        return lit.Test.Result(lit.Test.PASS, "")
