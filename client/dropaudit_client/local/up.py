"""`dropaudit up`: the whole service until somebody stops it."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dropaudit_client.local.service import LocalService, running

_LOOK_SECONDS = 0.2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A stop signal came. Not an Exception: nothing between may take it for a failure of its own."""


def run_until_stopped(environ: Mapping[str, str], data: Path | None, port: int, *, web: bool = False) -> None:
    """Start the service, say how to call it, and stop it on a signal or when a part ends.

    Raises:
        ServiceFailed: a part did not start, or ended.
    """
    try:
        with stop_signals(), folder(data) as place, running(environ, place, port, web=web) as service:
            _say_how_to_call(service)
            while True:
                service.check()
                time.sleep(_LOOK_SECONDS)
    except Stopped:
        print("stopped", file=sys.stderr)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Raise Stopped at the first stop signal; ignore those that follow, so that stopping itself is not stopped."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def folder(data: Path | None) -> Iterator[Path]:
    """Yield the given folder, or a temporary one that goes away afterwards."""
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="dropaudit-", ignore_cleanup_errors=True) as temporary:
        yield Path(temporary)


def _say_how_to_call(service: LocalService) -> None:
    lines = (
        f"dropaudit serves gRPC at {service.address}; data and logs are in {service.data}",
        f"  dropaudit submit --wait --address {service.address} MODEL.onnx",
        *([f"  http://{service.web_address}/ in a browser"] if service.web_address else []),
        "Ctrl-C stops everything.",
    )
    print("\n".join(lines), file=sys.stderr, flush=True)
