"""`python -m dropaudit_server`: reads the settings and serves until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable

from pydantic import ValidationError

from dropaudit.errors import AuditError
from dropaudit_server.serving.server import serve
from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import problems
from dropaudit_store.shared.logs import configure_logs


async def _serve(settings: ServerSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> int:
    """Serve. Returns 2 when the settings or the address are invalid."""
    try:
        settings = ServerSettings()
        configure_logs(settings.log_level)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except ValidationError as error:
        return _refuse(problems(error))
    except AuditError as error:
        return _refuse(error.message)
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: uvloop's where there is one, which is faster."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _refuse(sentence: str) -> int:
    print(f"dropaudit-server: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
