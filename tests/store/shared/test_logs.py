"""What a program writes to its log: one JSON object a line, whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest


def written(level: str, program: str) -> list[dict[str, Any]]:
    """Run a program that logs at a level, in a process of its own, and return the lines of its log."""
    begin = "import logging, warnings, structlog\nfrom dropaudit_store.shared.logs import configure_logs\n"
    whole = f"{begin}configure_logs({level!r})\nlog = structlog.get_logger('ours')\n{textwrap.dedent(program)}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_of_this_project_and_of_libraries_tell_the_same() -> None:
    ours, theirs = written("INFO", "log.info('began'); logging.getLogger('theirs').info('began')")
    assert ours.keys() == theirs.keys() == {"event", "level", "logger", "timestamp"}
    assert (ours.pop("logger"), theirs.pop("logger")) == ("ours", "theirs")
    assert ours.pop("timestamp") <= theirs.pop("timestamp")
    assert ours == theirs == {"event": "began", "level": "info"}


def test_fields_and_what_is_bound_to_a_call_stand_in_the_line() -> None:
    (line,) = written("INFO", "structlog.contextvars.bind_contextvars(request='r'); log.info('a call', code='OK')")
    assert (line["request"], line["code"]) == ("r", "OK")


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_lines_below_the_level_are_left_out(level: str, count: int) -> None:
    assert len(written(level, "log.debug('a'); log.info('b'); log.warning('c')")) == count


def test_an_error_brings_its_traceback() -> None:
    (line,) = written("ERROR", "try: 1 / 0\nexcept ZeroDivisionError as error: log.error('failed', exc_info=error)")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")
    assert line["level"] == "error"


def test_warnings_of_python_are_lines_too() -> None:
    (line,) = written("INFO", "warnings.warn('beware')")
    assert "beware" in line["event"]
    assert line["logger"] == "py.warnings"
