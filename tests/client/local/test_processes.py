"""Child processes and their supervisor: nothing outlives its parent."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit_client.local.processes import Process
from dropaudit_client.local.service import LocalService, ServiceFailed, require_parts, running

ENVIRON = {"PATH": "/usr/bin:/bin"}
# A child that has a child of its own, and writes down its process id.
PARENT = (
    "import subprocess, sys, time; c = subprocess.Popen(['sleep', '600']); print(c.pid, flush=True); time.sleep(600)"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + PARENT


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has reaped does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait until a condition holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def start(script: str, folder: Path) -> tuple[Process, int]:
    """Start a script that prints its child's id, and return both."""
    process = Process("part", [sys.executable, "-c", script], ENVIRON, folder / "part.log")
    assert eventually(lambda: process.last_words() != "")
    return process, int(process.last_words())


@pytest.mark.parametrize("script", [PARENT, STUBBORN])
def test_stopping_a_process_ends_its_children_too(script: str, tmp_path: Path) -> None:
    process, grandchild = start(script, tmp_path)
    process.stop(grace=0.5)
    assert process.exit_status() is not None
    assert eventually(lambda: not alive(grandchild))


def test_stopping_a_process_that_has_ended_is_no_error(tmp_path: Path) -> None:
    process = Process("part", [sys.executable, "-c", "print('goodbye')"], ENVIRON, tmp_path / "part.log")
    assert eventually(lambda: process.exit_status() == 0)
    process.stop(grace=0.5)
    assert process.last_words() == "goodbye"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from dropaudit_client.local.processes import Process;"
        f"p = Process('part', ['sleep', '600'], {{}}, Path({str(tmp_path / 'part.log')!r}));"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not alive(child))


def test_a_part_that_ended_is_named_with_its_log(tmp_path: Path) -> None:
    service = LocalService(ENVIRON, tmp_path, tmp_path / "redis.sock")
    part = Process("worker", [sys.executable, "-c", "raise SystemExit('no queue')"], ENVIRON, tmp_path / "worker.log")
    service.processes.append(part)
    assert eventually(lambda: part.exit_status() is not None)
    with pytest.raises(ServiceFailed, match=r"worker ended with status 1(.|\n)*no queue"):
        service.check()


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(InvalidArgument, match="--port"),
        running(ENVIRON, tmp_path, listener.getsockname()[1]),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableFile), running(ENVIRON, tmp_path / "file" / "data"):
        pass


def test_a_client_without_the_service_s_parts_says_what_to_install() -> None:
    with pytest.raises(ServiceFailed, match=r"celery, redbeat missing\); install dropaudit\[local,cpu\]"):
        require_parts(lambda name: name not in ("celery", "redbeat"))
    require_parts(lambda _: True)
