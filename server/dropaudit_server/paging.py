"""Pages of a list: how long, and where they begin."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Protocol

from dropaudit_server.violations import Violations

_DEFAULT_SIZE, _LARGEST_SIZE = 50, 1000
_DIGEST_BYTES = 8


class ListRequest(Protocol):
    """What every list request has."""

    page_size: int
    page_token: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was asked for; `cursor` is empty for the first. `scope` tells lists apart."""

    size: int
    cursor: str
    scope: str

    def token(self, following: str) -> str:
        """Return the token of the page that follows a cursor; empty when there is none."""
        if not following:
            return ""
        return base64.urlsafe_b64encode(_digest(self.scope) + following.encode()).decode().rstrip("=")


def page_of(request: ListRequest, *scope: str, violations: Violations) -> Page:
    """Read which page is asked for.

    Args:
        scope: what must stay the same from page to page, such as the filter.
    """
    joined = "\n".join(scope)
    if request.page_size < 0:
        violations.add("page_size", "must not be negative")
    cursor = _cursor(request.page_token, joined) if request.page_token else ""
    if cursor is None:
        violations.add("page_token", "must be the next_page_token of the page before, with nothing else changed")
    return Page(min(request.page_size or _DEFAULT_SIZE, _LARGEST_SIZE), cursor or "", joined)


def _cursor(token: str, scope: str) -> str | None:
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, cursor = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return cursor if digest == _digest(scope) and cursor else None


def _digest(scope: str) -> bytes:
    return hashlib.sha256(scope.encode()).digest()[:_DIGEST_BYTES]
