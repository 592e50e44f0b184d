"""Claims about the server as a program: what it refuses to start with, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.services import environment, eventually, server_process, serving


@pytest.mark.parametrize("module", ["dropaudit_server", "dropaudit_worker"])
@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("redis_url", "http://user:secret@host", "must begin with redis://"),
        ("log_level", "LOUD", "DEBUG"),
        (
            "blob_url",
            "nonsense://secret",
            "DROPAUDIT_BLOB_URL: cannot be used: Protocol not known: nonsense",
        ),
    ],
)
def test_bad_settings_are_one_sentence_without_the_value_and_status_2(
    module: str, setting: str, value: str, word: str, redis_url: str, tmp_path: Path
) -> None:
    ended = start(module, environment(redis_url, tmp_path, **{setting: value}))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert word in ended.stderr
    assert ended.stderr.startswith(module.replace("_", "-"))
    assert ended.stderr.count("\n") == 1
    assert "secret@" not in ended.stderr


def test_an_address_that_is_taken_is_refused_with_what_to_do(redis_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        ended = start("dropaudit_server", environment(redis_url, tmp_path, listen=address))
    assert ended.returncode == 2
    assert f"cannot listen on {address}; choose another DROPAUDIT_LISTEN" in ended.stderr
    assert "Traceback" not in ended.stderr


def start(module: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_status_0(number: int, redis_url: str, tmp_path: Path) -> None:
    with server_process(redis_url, tmp_path, ready=serving) as (started, _):
        os.kill(started.pid, number)
        eventually(lambda: started.exit_status() is not None, "the server does not end")
        assert started.exit_status() == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()
