"""The README's table of settings, from the classes that read them."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import PREFIX
from dropaudit_worker.settings import WorkerSettings

_READERS: dict[str, type[BaseSettings]] = {"server": ServerSettings, "worker": WorkerSettings}


def settings_table() -> str:
    """Return the table in Markdown: what both read first, then the server's, then the worker's."""
    names = dict.fromkeys(name for each in _READERS.values() for name in each.model_fields)
    rows = sorted((_row(name) for name in names), key=lambda row: (-len(row[3]), row[3]))
    lines = ["| variable | default | meaning | read by |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _row(name: str) -> tuple[str, str, str, str]:
    readers = [reader for reader, settings in _READERS.items() if name in settings.model_fields]
    field = _READERS[readers[0]].model_fields[name]
    default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    return f"`{PREFIX}{name.upper()}`", f"`{default}`", field.description or "", ", ".join(readers)
