"""Composition root of the `dropaudit` command: arguments, environment and streams of this process."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command with this process's arguments and environment, and exit with its status."""
    # Names come from models: what the locale cannot print must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # An audit leaves no reference cycles, and looking for them among what is being imported takes a tenth of a command.
    gc.set_threshold(20_000)
    from dropaudit_client.command import run

    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
