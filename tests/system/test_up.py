"""`dropaudit up` and `dropaudit demo` as a user starts them. Nothing may be left of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from dropaudit_client import AuditClient
from dropaudit_client.local.service import LocalService, running
from dropaudit_models import export
from dropaudit_models.seed_case import seed_case
from support.command import COMMAND, dropaudit

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def processes_of(mark: str) -> dict[int, str]:
    """Return the processes of a service, with their command lines.

    They are known by a variable that all inherit or, since a program that sets its title overwrites its environment,
    by the log that they write to, which lies in the test's folder.
    """
    folder = mark.partition("=")[2]
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                command = (process / "cmdline").read_text().replace("\0", " ")
                inherits = mark.encode() in (process / "environ").read_bytes()
                if inherits or str((process / "fd" / "1").readlink()).startswith(folder):
                    found[int(process.name)] = command
    return found


def none_left(mark: str) -> dict[int, str]:
    """Return what is left of a marked service after a moment's patience: what was killed takes a while to go."""
    deadline = time.monotonic() + 15
    while (left := processes_of(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@contextmanager
def service_up(environ: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `dropaudit up` on a free port and yield it with its address."""
    command = [*COMMAND, "up", "--port", "0"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            greeting = process.stderr.readline()
            address = re.search(r"127\.0\.0\.1:\d+", greeting)
            assert address, greeting + process.stderr.read()
            yield process, address[0]
        finally:
            process.terminate()
            process.stderr.read()


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A variable that every process of the service inherits, and no other process has."""
    return f"DROPAUDIT_TEST_MARK={tmp_path}"


@pytest.fixture
def environ(mark: str, tmp_path: Path) -> dict[str, str]:
    name, _, value = mark.partition("=")
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path), name: value}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_audits_and_a_signal_stops_all_of_it(
    number: signal.Signals, environ: dict[str, str], mark: str
) -> None:
    with service_up(environ) as (process, address):
        with AuditClient(address) as client:
            assert client.audit(seed_case()).verdict == "PASS"
        process.send_signal(number)
        assert process.wait(30) == 0
    assert none_left(mark) == {}


def listening_of(groups: set[int]) -> set[int]:
    """Return the TCP ports on which the processes of some groups listen."""
    sockets = set[str]()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(process.name)) in groups:
                sockets.update(str(each.readlink()) for each in (process / "fd").iterdir())
    ports = set[int]()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def test_a_service_here_opens_the_port_of_grpc_and_no_other(service: LocalService) -> None:
    groups = {process.pid for process in service.processes}
    assert listening_of(groups) == {int(service.address.rpartition(":")[2])}


def test_what_a_service_here_writes_is_for_its_user_alone(
    service: LocalService, client: AuditClient, tmp_path: Path
) -> None:
    client.upload_model(export("lstm-dropout", tmp_path))
    assert client.audit(seed_case()).verdict == "PASS"
    written = [path for path in service.data.rglob("*") if not path.name.endswith(".new")]
    assert len(written) > 10
    assert [path for path in (service.data, *written) if path.exists() and path.lstat().st_mode & 0o077] == []
    assert (service.data / "redis" / "redis.sock").is_socket()


def test_the_redis_of_up_refuses_what_a_service_does_not_need(service: LocalService) -> None:
    with redis.Redis.from_url(service.redis_url) as client:
        for command in DANGEROUS:
            with pytest.raises(redis.exceptions.ResponseError, match=r"no permissions|not allowed"):
                client.execute_command(*command.split())


DANGEROUS = (
    "CONFIG SET dir /",
    "CONFIG SET dbfilename authorized_keys",
    "CONFIG REWRITE",
    "SAVE",
    "BGSAVE",
    "MODULE LIST",
    "MODULE LOAD /tmp/x.so",
    "REPLICAOF 127.0.0.1 1",
    "SLAVEOF 127.0.0.1 1",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "SHUTDOWN NOSAVE",
    "ACL SETUSER x on",
    "SCRIPT FLUSH",
    "MIGRATE 127.0.0.1 1 key 0 1",
    "MONITOR",
    "CLIENT KILL TYPE normal",
)


def test_up_ends_with_a_name_when_a_part_dies(environ: dict[str, str], mark: str) -> None:
    with service_up(environ) as (process, _):
        redis = [
            pid for pid, command in processes_of(mark).items() if "unixsocket" in command or "redis.sock" in command
        ]
        subprocess.run(["kill", "-9", *map(str, redis)], check=True)
        assert process.wait(30) == 2
        assert process.stderr
        assert "redis ended" in process.stderr.read()
    assert none_left(mark) == {}


def test_nothing_is_left_when_up_itself_is_killed(environ: dict[str, str], mark: str) -> None:
    with service_up(environ) as (process, _):
        process.kill()
        process.wait(10)
        assert none_left(mark) == {}


def test_the_demo_gives_the_expected_reports_in_under_a_minute(environ: dict[str, str], mark: str) -> None:
    started = time.monotonic()
    ended = dropaudit("demo", environ=environ)
    assert ended.returncode == 0, ended.stderr
    verdicts = [
        line.split()[0] for line in ended.stdout.splitlines() if re.match(r"(PASS|WARN|FAIL|INCONCLUSIVE)\b", line)
    ]
    assert verdicts == ["PASS", "PASS", "FAIL"]
    assert "DA301" in ended.stdout
    assert time.monotonic() - started < 60
    assert none_left(mark) == {}


def test_with_web_a_browser_on_this_machine_sees_the_audits(tmp_path: Path) -> None:
    with running(dict(os.environ), tmp_path / "data", web=True) as service:
        with AuditClient(service.address) as client:
            name = client.create_audit(seed_case()).name
            client.wait(name)
        with urllib.request.urlopen(f"http://{service.web_address}/{name}", timeout=10) as answer:
            assert "Not a bug" in answer.read().decode()
