"""`python -m dropaudit_server [--check]`: reads the settings and serves until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from pydantic import ValidationError

from dropaudit.errors import AuditError
from dropaudit_server.checking import checks_of
from dropaudit_server.serving.server import serve
from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import problems
from dropaudit_store.shared.logs import configure_logs
from dropaudit_store.shared.program import Program, failed_settings, refuse, run_checks, warn_of_settings

_NAME = "dropaudit-server"


async def _serve(settings: ServerSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


_PROGRAM = Program(
    "python -m dropaudit_server",
    "The gRPC server of dropaudit: it takes models and audits, and tells how audits stand. Workers make them; the "
    "server runs no model. It reads its settings from the environment, and serves until SIGTERM or SIGINT.",
    ServerSettings,
)


def main() -> int:
    """Serve, or check. Returns 2 when the settings or the address are invalid, 1 when a check failed."""
    _, only_check = _PROGRAM.asked(sys.argv[1:])
    try:
        settings = ServerSettings()
        configure_logs(settings.log_level)
        misspelled = _PROGRAM.misspelled(os.environ)
        if only_check:
            return run_checks(checks_of(settings), misspelled)
        warn_of_settings(misspelled)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except ValidationError as error:
        return failed_settings(problems(error)) if only_check else refuse(_NAME, problems(error))
    except AuditError as error:
        return refuse(_NAME, [error.message])
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: uvloop's where there is one, which is faster."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
