"""Clients that submit until they are told that they have been accepted, whatever happens on the way."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dropaudit_chaos.work import AuditKind
from dropaudit_client import AuditClient
from dropaudit_client.errors import ServiceError
from dropaudit_client.resources import Priority

T = TypeVar("T")
_CALL_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
# A service that does not answer for so long is lost.
_PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Accepted:
    """Audits that clients were told of, by request id, and the kind of each."""

    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    repeated: int = 0


class Caller:
    """One client of the service, that calls again until it hears an answer."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = AuditClient(address, timeout=_CALL_SECONDS)
        self.repeated = 0

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def insist(self, call: Callable[[AuditClient], T]) -> T:
        """Return what a call returns. A refusal counts as no answer: everything asked for here is right."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return call(self._client)
            except ServiceError:
                if time.monotonic() > end:
                    raise
                self.repeated += 1
                time.sleep(_PAUSE_SECONDS)
                # A fresh channel: one that has failed waits longer and longer before it tries again.
                self._client.close()
                self._client = AuditClient(self._address, timeout=_CALL_SECONDS)

    def submit(self, kind: AuditKind, priority: Priority) -> tuple[str, str]:
        """Submit an audit, and return its request id and its name."""
        request_id = uuid.uuid4().hex
        made = self.insist(
            lambda client: client.create_audit(kind.subject, kind.plan, request_id=request_id, priority=priority)
        )
        return request_id, made.name

    def is_final(self, name: str) -> bool:
        """Whether an audit has ended."""
        return self.insist(lambda client: client.get_audit(name)).state.final


class Crowd:
    """Several clients that submit at a steady pace until they are stopped, and at least `least` audits."""

    def __init__(self, address: str, kinds: Sequence[AuditKind], *, clients: int, least: int, pause: float) -> None:
        self._kinds = kinds
        self._least = least
        self._pause = pause
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self.accepted = Accepted()
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(address,), daemon=True) for _ in range(clients)]

    def start(self) -> None:
        """Begin to submit."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Stop once enough has been submitted. Raises what a client has failed with."""
        self._enough.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def note(self, request_id: str, name: str, kind: int) -> None:
        """Note an audit that was accepted."""
        with self._lock:
            self.accepted.names[request_id] = name
            self.accepted.kinds[name] = kind

    def _run(self, address: str) -> None:
        caller = Caller(address)
        try:
            while (kind := self._next()) is not None:
                self.note(*caller.submit(self._kinds[kind], Priority.BATCH), kind)
                time.sleep(self._pause)
        except BaseException as error:
            self.failures.append(error)
        finally:
            with self._lock:
                self.accepted.repeated += caller.repeated
            caller.close()

    def _next(self) -> int | None:
        """Return the number of the kind to ask for; None when it is enough."""
        with self._lock:
            if self._enough.is_set() and len(self.accepted.names) >= self._least:
                return None
            return len(self.accepted.names) % len(self._kinds)
