"""Progress on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dropaudit.plan import OnProgress, Progress


@contextmanager
def shown_progress(title: str) -> Iterator[OnProgress]:
    """Yield a callback that shows progress while inside; it does nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    # Imported here: nobody pays for rich's live display who does not see it.
    from rich.console import Console
    from rich.live import Live

    from dropaudit_client.terminal.running import Running

    running = Running(title, time.monotonic)
    with Live(running, console=Console(file=sys.stderr), transient=True, refresh_per_second=8):
        yield running.take


def _ignore(_: Progress) -> None:
    pass
