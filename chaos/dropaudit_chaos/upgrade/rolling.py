"""Replaces servers and workers one by one, and back, while clients that know nothing of it submit and watch."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropaudit_chaos.chaos import SETTINGS
from dropaudit_chaos.parts import Part, Service
from dropaudit_chaos.proxy import Proxy
from dropaudit_chaos.upgrade.newer_version import make_newer_version
from dropaudit_chaos.work import AuditKind, kinds
from dropaudit_client import AuditClient
from dropaudit_client.local.service import free_port
from dropaudit_client.resources import Run
from dropaudit_server.probe import health
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.redis.connection import key

_START_SECONDS = 60.0
_KINDS = 4
_PAUSE_SECONDS = 0.2
Step = tuple[str, int, bool]
# Which part is replaced by the newer version, and which goes back to this one. In between old and new servers tell old
# and new workers of audits.
UPGRADE = (("server", 0, True), ("worker", 0, True), ("server", 1, True), ("worker", 1, True))
BACK = (("worker", 0, False), ("server", 0, False))


@dataclass(slots=True)
class Outcome:
    """What clients saw.

    Attributes:
        accepted: audits that clients were told of.
        wrong: what is wrong with them at the end.
        failures: calls that a client's own retries did not bring through.
        longest: seconds that the longest call took.
        formats: the formats of the audits' records.
        runs: how the runs of a suite ended that were begun on the way.
    """

    accepted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    formats: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)


class _Stage(Service):
    """Redis, two workers, and two servers behind one address."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 2, 0, SETTINGS)
        self.proxy.close()
        ports = [free_port(), free_port()]
        self.servers = [self._server(number, port) for number, port in enumerate(ports)]
        self.server = self.servers[0][0]
        self.proxy = Proxy(*ports)
        self.newer = {"PYTHONPATH": str(make_newer_version(folder / "newer"))}

    def _server(self, number: int, port: int) -> tuple[Part, int]:
        environ = self.environ | {"DROPAUDIT_LISTEN": f"127.0.0.1:{port}"}
        command = [sys.executable, "-m", "dropaudit_server"]
        return Part(f"server{number}", command, environ, self.folder / f"server{number}.log"), port

    def start(self) -> None:
        """Start everything."""
        super().start()
        self.servers[1][0].start()
        self._await_server(1)

    def stop(self) -> None:
        """Stop everything."""
        self.servers[1][0].stop()
        super().stop()

    def replace(self, role: str, number: int, is_newer: bool) -> None:
        """Let one part of a version take the place of one of the other, once that has stopped."""
        environ = self.newer if is_newer else {"PYTHONPATH": ""}
        if role == "worker":
            self.workers[number].become(environ)
            return
        self.servers[number][0].become(environ)
        self._await_server(number)

    def _await_server(self, number: int) -> None:
        end = time.monotonic() + _START_SECONDS
        while health(f"127.0.0.1:{self.servers[number][1]}") != "SERVING":
            if time.monotonic() > end:
                raise TimeoutError(f"server {number} does not serve")
            time.sleep(0.05)


class _Callers:
    """Clients that submit audits and watch them to their end. A call that fails is noted, and not made again."""

    def __init__(self, address: str, asked: Sequence[AuditKind], outcome: Outcome) -> None:
        self._address, self._asked, self._outcome = address, asked, outcome
        self._enough = threading.Event()
        self.kinds: dict[str, int] = {}

    @contextmanager
    def calling(self, count: int) -> Iterator[None]:
        """Call while inside."""
        threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join(_START_SECONDS)

    def _run(self, number: int) -> None:
        with AuditClient(self._address) as client:
            while not self._enough.is_set():
                kind = number % len(self._asked)
                try:
                    self._one(client, kind)
                except Exception as error:
                    self._outcome.failures.append(f"{type(error).__name__}: {error}")
                number += 1
                time.sleep(_PAUSE_SECONDS)

    def _one(self, client: AuditClient, kind: int) -> None:
        began = time.monotonic()
        name = client.create_audit(self._asked[kind].subject, self._asked[kind].plan).name
        self._outcome.longest = max(self._outcome.longest, time.monotonic() - began)
        self.kinds[name] = kind
        self._outcome.accepted.append(name)
        client.wait(name)


def run(folder: Path, steps: Sequence[Step], clients: int = 3) -> Outcome:
    """Replace parts one by one under load; returns what clients saw."""
    outcome = Outcome()
    stage = _Stage(folder)
    try:
        stage.start()
        with AuditClient(stage.address) as client:
            asked = kinds(client, _KINDS)
            expected = [_told(client, each) for each in asked]
            suite = client.create_suite("rolling", [each.subject for each in asked[:2]]).name
            callers = _Callers(stage.address, asked, outcome)
            with callers.calling(clients):
                for role, number, is_newer in steps:
                    begun = client.run_suite(suite, always_audit=True).name
                    stage.replace(role, number, is_newer)
                    outcome.runs.append(client.wait_run(begun))
        _close(stage, outcome, {name: expected[kind] for name, kind in callers.kinds.items()})
    finally:
        stage.stop()
    return outcome


def _told(client: AuditClient, kind: AuditKind) -> Any:
    """Return what an audit of a kind finds."""
    return _findings(client.wait(client.create_audit(kind.subject, kind.plan).name).report)


def _findings(report: Any) -> Any:
    return (report.verdict, [each.code for each in report.findings], report.sites) if report else None


def _close(stage: _Stage, outcome: Outcome, expected: dict[str, Any]) -> None:
    """Look at every audit that a client was told of."""
    audits = AuditStore(stage.client)
    with AuditClient(stage.address) as client:
        for name, told in expected.items():
            audit_id = name.removeprefix("audits/")
            events: Any = stage.client.xrange(key("events", audit_id))
            ends = [fields["payload"] for _, fields in events if fields["kind"] == "finished"]
            if ends != ["SUCCEEDED"]:
                outcome.wrong.append(f"{name} has ended so: {ends}, {audits.get(audit_id).failure}")
            elif _findings(client.get_audit(name).report) != told:
                outcome.wrong.append(f"{name} tells something else than before")
            outcome.formats.add(str(stage.client.hget(key("audit", audit_id), "format")))
