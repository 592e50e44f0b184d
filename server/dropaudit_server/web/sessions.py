"""Sessions of browsers: a token is traded for a random name that only this process knows, and not for long."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

SESSION_SECONDS = 3600.0
MOST_SESSIONS = 1_000


class Sessions:
    """Tokens by the name of their session. The token is looked at again whenever the session is used."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    def begin(self, secret: str) -> str:
        """Return the name of a new session; where there are too many, the oldest one ends."""
        self._forget()
        while len(self._known) >= MOST_SESSIONS:
            del self._known[next(iter(self._known))]
        name = secrets.token_urlsafe(32)
        self._known[name] = (secret, self._clock() + SESSION_SECONDS)
        return name

    def token_of(self, name: str) -> str:
        """Return the token of a session; empty where there is none any more."""
        self._forget()
        return self._known.get(name, ("", 0.0))[0]

    def end(self, name: str) -> None:
        """End a session."""
        self._known.pop(name, None)

    def _forget(self) -> None:
        now = self._clock()
        for name in [name for name, (_, end) in self._known.items() if end <= now]:
            del self._known[name]
