"""Generates the synchronous client from the asynchronous one; with --check, only says whether it is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "client" / "dropaudit_client"
# The files that are written by hand, and those that are generated from them.
FILES = {
    "aio.py": "client.py",
    **{f"calls/aio/{name}.py": f"calls/{name}.py" for name in ("base", "documents", "names", "reports", "runs")},
}
# In this order; each is found somewhere, or there is nothing to replace any more.
REPLACEMENTS = {
    r"\basync (def|for|with)\b": r"\1",
    r"\bawait ": "",
    r"\bAwaitable\[(\w+)\]": r"\1",
    r"\b__a(enter|exit)__\b": r"__\1__",
    r"\bimport asyncio\b": "import time",
    r"\basyncio\.sleep\b": "time.sleep",
    r"\bgrpc\.aio\.": "grpc.",
    r"_channel\.close\(None\)": "_channel.close()",
    r"\bAuditServiceAsyncStub\b": "AuditServiceStub",
    r"\bAsyncCalls\b": "SyncCalls",
    r"\bAsync(\w+Calls|AuditClient|Iterable|Iterator)\b": r"\1",
    r"\bcalls\.aio\.": "calls.",
    "The asynchronous client; the synchronous one is generated from it.": "The synchronous client.",
    "Calls the service from the event loop that it is made in.": "Calls the service, one call after the other.",
    "Makes calls from an event loop.": "Makes calls, one after the other.",
}


def synchronous(text: str, source: str) -> str:
    """Return the synchronous form of a module, formatted."""
    for pattern, replacement in REPLACEMENTS.items():
        text = re.sub(pattern, replacement, text)
    docstring, rest = text.split("\n", 1)
    text = f"{docstring}\n# Generated from {source} by `make sync-client`: change it there.\n{rest}"
    # Names that only the other form needs are imported no more, and `yield from` takes the place of a loop.
    text = _ruff(text, "check", "--quiet", "--fix", "--unsafe-fixes", "--select", "I,F401,UP028", "-")
    return _ruff(text, "format", "--quiet", "-")


def _ruff(text: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(CLIENT / "client.py")]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def generated() -> dict[Path, str]:
    """Return what the generated files should hold."""
    return {
        CLIENT / target: synchronous((CLIENT / source).read_text(encoding="utf-8"), source)
        for source, target in FILES.items()
    }


def main() -> int:
    """Generate, or check."""
    found = generated()
    if "--check" not in sys.argv[1:]:
        for path, text in found.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path.name for path, text in found.items() if not path.exists() or path.read_text("utf-8") != text]
    if stale:
        print(f"the synchronous client is stale, run `make sync-client`: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
