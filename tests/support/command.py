"""The `dropaudit` command as a process."""

from __future__ import annotations

import subprocess
import sys

COMMAND = (sys.executable, "-m", "dropaudit_client")


def dropaudit(*arguments: object, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of a command that could not make its audit; fail when it says more, or ends otherwise."""
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("dropaudit: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.removeprefix("dropaudit: ").strip()
