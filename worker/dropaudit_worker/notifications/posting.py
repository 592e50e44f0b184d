"""One attempt to post a message: bounded in time and bytes, to an address that was looked at, without redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from dropaudit_store.notifications.targets import (
    Address,
    ForbiddenTarget,
    Resolve,
    Target,
    UnreachableTarget,
    checked_addresses,
    parse_target,
    resolve,
)
from dropaudit_worker.notifications.messages import Message

# Statuses of 4xx that pass by themselves: timeout, too early, too many requests.
_PASSING = frozenset({408, 425, 429})
_LONGEST_WAIT = 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for all of an attempt, the name's resolution included, and bytes of a response that are read."""

    seconds: float = 10.0
    response_bytes: int = 16 << 10


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""

    said: str


@dataclass(frozen=True, slots=True)
class Retry:
    """It may work later; `after`: seconds that the receiver asked for, 0 where it did not."""

    said: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Dead:
    """It will not work, whenever it is tried."""

    said: str


Attempt = Delivered | Retry | Dead


class Posts(Protocol):
    """Posts a message."""

    def __call__(self, url: str, message: Message) -> Attempt:
        """Make one attempt. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Post:
    """Posts messages.

    Attributes:
        allow_private: whether receivers may be in private networks or on this machine.
        limits: of one attempt.
        resolving: from a host to its addresses.
        tls: how servers prove who they are.
    """

    allow_private: bool = False
    limits: Limits = field(default_factory=Limits)
    resolving: Resolve = resolve
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def __call__(self, url: str, message: Message) -> Attempt:
        """Post a message once; whatever happens is an Attempt."""
        try:
            target = parse_target(url)
            with _Deadline(self.limits.seconds) as deadline:
                addresses = deadline.call(lambda: self._addresses(target))
                return self._post(target, addresses, message, deadline)
        except ForbiddenTarget as error:
            return Dead(error.message)
        except UnreachableTarget as error:
            return Retry(error.message)
        except TimeoutError:
            return Retry(f"no answer within {self.limits.seconds:g} seconds")
        except (OSError, http.client.HTTPException) as error:
            return Retry(f"the connection failed: {str(error) or type(error).__name__}")

    def _addresses(self, target: Target) -> list[Address]:
        return checked_addresses(target, allow_private=self.allow_private, resolving=self.resolving)

    def _post(self, target: Target, addresses: list[Address], message: Message, deadline: _Deadline) -> Attempt:
        with self._connected(target, addresses, deadline) as connection:
            headers = {"host": target.host_header, **message.headers}
            try:
                connection.request("POST", target.path, message.body, headers)
                response = connection.getresponse()
                # A header that was cut off reads as if it had ended.
                deadline.left()
            except (OSError, http.client.HTTPException) as error:
                # A socket that the deadline has shut down fails in ways of its own.
                if deadline.is_over:
                    raise TimeoutError from error
                raise
            # The status says it all. A little is read so that a receiver with a word to say is not cut off in it.
            with suppress(OSError, http.client.HTTPException):
                response.read(self.limits.response_bytes)
            return judged(response.status, response.getheader("retry-after"))

    @contextmanager
    def _connected(
        self, target: Target, addresses: list[Address], deadline: _Deadline
    ) -> Iterator[http.client.HTTPConnection]:
        """Connect to the first address that answers; names are not asked for again."""
        plain = self._socket(target, addresses, deadline)
        deadline.watch(plain)
        connection = http.client.HTTPConnection(target.host, target.port)
        try:
            if target.scheme == "https":
                plain = self.tls().wrap_socket(plain, server_hostname=target.host)
                deadline.watch(plain)
            connection.sock = plain
            yield connection
        finally:
            connection.close()
            plain.close()

    def _socket(self, target: Target, addresses: list[Address], deadline: _Deadline) -> socket.socket:
        last: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((str(address), target.port), deadline.left())
            except OSError as error:
                last = error
        raise last or TimeoutError


def judged(status: int, retry_after: str | None = None) -> Attempt:
    """Return what a status means: 2xx delivered; 5xx and a few of 4xx again; the rest, redirects too, in vain."""
    said = f"HTTP {status}"
    if 200 <= status < 300:
        return Delivered(said)
    if status >= 500 or status in _PASSING:
        seconds = retry_after or ""
        asked = float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 9 else 0.0
        return Retry(said, min(asked, _LONGEST_WAIT))
    if 300 <= status < 400:
        return Dead(f"{said}: redirects are not followed")
    return Dead(said)


class _Deadline:
    """Ends an attempt that takes too long, wherever it waits: a receiver may send a byte every few seconds."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._end_time = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._over = threading.Event()

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether time is up."""
        return self._over.is_set()

    def left(self) -> float:
        """Return how many seconds there are. Raises TimeoutError when time is up."""
        left = self._end_time - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def watch(self, watched: socket.socket) -> None:
        """Shut this socket down when time is up."""
        self._sockets.append(watched)
        if self.is_over:
            self._end()

    def call(self, function: Callable[[], list[Address]]) -> list[Address]:
        """Call what cannot be interrupted, and do not wait for it longer than there is time."""
        found: list[list[Address]] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                found.append(function())
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True, name="dropaudit-resolve")
        thread.start()
        thread.join(self.left())
        if failed:
            raise failed[0]
        if not found:
            raise TimeoutError
        return found[0]

    def _end(self) -> None:
        self._over.set()
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
