"""A file whose time tells that a process does its work: looking at it costs nothing, unlike asking the process."""

from __future__ import annotations

from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)


class HeartbeatFile:
    """A file that is touched for as long as its process does its work.

    Args:
        path: of the file, in a folder that is there; empty for none.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._failed = False

    def beat(self) -> None:
        """Touch the file. A file that cannot be written is noted once: who looks at it sees it grow old."""
        if self._path is None:
            return
        try:
            self._path.touch()
        except OSError as error:
            if not self._failed:
                _log.warning("the heartbeat file cannot be written", path=str(self._path), error=error.strerror)
            self._failed = True
