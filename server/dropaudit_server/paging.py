"""Pages of a list."""

from __future__ import annotations

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.names import resource_id
from dropaudit_server.violations import InvalidRequest

_DEFAULT_SIZE, _LARGEST_SIZE = 50, 1000


def page_of(request: pb.ListRunsRequest) -> tuple[str, int, int]:
    """Return the suite, where a page of its runs begins, and how long it is. Raises InvalidRequest."""
    suite_id = resource_id(request.parent, "suites", "parent")
    if request.page_size < 0:
        raise InvalidRequest([("page_size", "must not be negative")])
    if request.page_token and not request.page_token.isdecimal():
        raise InvalidRequest([("page_token", "must be the next_page_token of the page before")])
    return suite_id, int(request.page_token or 0), min(request.page_size or _DEFAULT_SIZE, _LARGEST_SIZE)


def page_token(start: int | None) -> str:
    """Return the token of the page that begins at `start`; empty when there is none."""
    return "" if start is None else str(start)
