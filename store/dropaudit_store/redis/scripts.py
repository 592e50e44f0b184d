"""Scripts that Redis runs, each as one atomic step: the files of Lua below `dropaudit_store/lua`.

A file names its arguments at its top, says what it returns, and names the libraries that it needs in lines
`-- require NAME`. Redis gets the prefix of all keys as `P`, constants, the libraries, each once, and then the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from dropaudit_store.redis.connection import PREFIX

_REQUIRED = re.compile(r"^-- require (\S+)$", re.MULTILINE)


@cache
def script(name: str, **constants: str | float | tuple[float, ...]) -> str:
    """Return a script, such as `audits/claim`, as Redis takes it.

    Args:
        name: the file's path below `dropaudit_store/lua`, without its suffix.
        constants: numbers, lists of numbers and plain words, by the names that the script has for them.
    """
    known = "".join(f"local {constant} = {_literal(value)}\n" for constant, value in constants.items())
    return f"local P = '{PREFIX}'\n{known}" + "".join(map(_text, dict.fromkeys(_with_libraries(name))))


def _with_libraries(name: str) -> Iterator[str]:
    for required in _REQUIRED.findall(_text(name)):
        yield from _with_libraries(required)
    yield name


@cache
def _text(name: str) -> str:
    return files("dropaudit_store").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def _literal(value: str | float | tuple[float, ...]) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return f"{{{', '.join(map(_literal, value))}}}" if isinstance(value, tuple) else f"{value:g}"
