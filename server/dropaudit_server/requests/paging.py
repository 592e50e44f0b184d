"""Pages of a list: how long, and where they begin."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.violations import Violations
from dropaudit_store.shared.byte_limits import PAGE_BYTES

M = TypeVar("M", bound=Message)
_VIEWS = {pb.VIEW_UNSPECIFIED: False, pb.VIEW_BASIC: False, pb.VIEW_FULL: True}

_DEFAULT_SIZE, _LARGEST_SIZE = 50, 1000
_DIGEST_BYTES = 8
_LONGEST_TOKEN = 1024


class ListRequest(Protocol):
    """The fields that every list request has."""

    page_size: int
    page_token: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was asked for; `cursor` is empty for the first, `whole` is a full view. `scope` tells lists apart."""

    size: int
    cursor: str
    scope: str
    whole: bool

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
    whole = violations.meaning(_VIEWS, getattr(request, "view", pb.VIEW_UNSPECIFIED), "view")
    cursor = _cursor(request.page_token, joined) if request.page_token else ""
    if cursor is None:
        violations.add("page_token", "must be the next_page_token of the page before, with nothing else changed")
    return Page(min(request.page_size or _DEFAULT_SIZE, _LARGEST_SIZE), cursor or "", joined, whole)


def fitting(found: Iterable[tuple[M, str]], following: str) -> tuple[list[M], str]:
    """Return as many messages as a page may hold, one at least, and the cursor of the next page.

    Args:
        found: messages, each with the cursor of the page that follows it; made one by one as they fit.
        following: the cursor of the page that follows all of them.
    """
    kept: list[M] = []
    size, last = 0, ""
    for message, cursor in found:
        size += message.ByteSize()
        if kept and size > PAGE_BYTES:
            return kept, last
        kept.append(message)
        last = cursor
    return kept, following


def _cursor(token: str, scope: str) -> str | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, cursor = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:].decode()
    except ValueError:
        # Not UTF-8, not base64, or another cursor than any of ours.
        return None
    return cursor if digest == _digest(scope) and cursor else None


def _digest(scope: str) -> bytes:
    return hashlib.sha256(scope.encode()).digest()[:_DIGEST_BYTES]
