"""Writes the README's table of settings from the classes that read them; with --check, fails when it is another."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic_settings import BaseSettings

from dropaudit_server.settings import ServerSettings
from dropaudit_store.shared.program import default_of, variable
from dropaudit_worker.settings import WorkerSettings

README = Path(__file__).parent.parent / "README.md"
_BEGIN, _END = "<!-- settings -->\n", "\n<!-- /settings -->"
# The beat reads what the worker reads.
_READERS: dict[str, type[BaseSettings]] = {"server": ServerSettings, "worker": WorkerSettings}


def settings_table() -> str:
    """Return the table in Markdown: what both read first, then the server's, then the worker's."""
    names = dict.fromkeys(name for each in _READERS.values() for name in each.model_fields)
    rows = sorted((_row(name) for name in names), key=lambda row: (-len(row[3]), row[3]))
    lines = ["| variable | default | meaning | read by |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _row(name: str) -> tuple[str, str, str, str]:
    readers = [reader for reader, settings in _READERS.items() if name in settings.model_fields]
    settings = _READERS[readers[0]]
    meaning = settings.model_fields[name].description or ""
    return f"`{variable(settings, name)}`", f"`{default_of(settings, name)}`", meaning, ", ".join(readers)


def with_table(text: str) -> str:
    """Return a text with the table between its marks."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{settings_table()}{_END}{after}"


def main(arguments: list[str]) -> int:
    """Write the table, or check it."""
    text = README.read_text(encoding="utf-8")
    if "--check" not in arguments:
        README.write_text(with_table(text), encoding="utf-8")
        return 0
    if text == with_table(text):
        return 0
    print("README.md does not have the settings that server and worker read; run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
