"""`python -m dropaudit_server`: reads the settings and serves until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
import sys

from pydantic import ValidationError

from dropaudit.errors import AuditError
from dropaudit_server.server import serve
from dropaudit_server.settings import ServerSettings
from dropaudit_store.logs import configure_logs


async def _serve(settings: ServerSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> int:
    """Serve; 2 when the settings or the address are no good."""
    try:
        settings = ServerSettings()
        configure_logs(settings.log_level.upper())
        asyncio.run(_serve(settings))
    except (AuditError, ValidationError, ValueError) as error:
        print(f"dropaudit-server: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
