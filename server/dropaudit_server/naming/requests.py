"""From requests about names to plain arguments."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.paging import Page, page_of
from dropaudit_server.requests.violations import Violations

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ALIAS = re.compile(r"(?!\d+$)[a-z0-9][a-z0-9._-]{0,62}")
_MOST_VERSION = 2**31


def display_name(name: str, path: str, violations: Violations) -> str:
    """Read a name that models may have; an empty one means that there is none."""
    if _CONTROL.search(name):
        violations.add(path, "no control characters")
    return violations.short(name, path)


def named(name: str) -> str:
    """Return the name that a request is about. Raises InvalidRequest."""
    violations = Violations()
    require_name(name, violations)
    violations.check()
    return name


def require_name(name: str, violations: Violations, path: str = "display_name") -> str:
    """Read a name that must be there."""
    if not name:
        violations.add(path, "give the name of a stored model, such as lstm.onnx")
    return display_name(name, path, violations)


def alias(text: str, path: str, violations: Violations) -> str:
    """Read an alias."""
    if _ALIAS.fullmatch(text) is None:
        violations.add(path, "lower-case letters, digits, '.', '_' and '-', 63 at most, not a number alone")
    return text


def set_alias(request: pb.SetModelAliasRequest) -> tuple[str, str, int]:
    """Return name, alias and version. Raises InvalidRequest."""
    violations = Violations()
    require_name(request.display_name, violations)
    alias(request.alias, "alias", violations)
    if request.version >= _MOST_VERSION:
        violations.add("version", "no name has so many versions")
    violations.check()
    return request.display_name, request.alias, request.version


def delete_alias(request: pb.DeleteModelAliasRequest) -> tuple[str, str]:
    """Return name and alias. Raises InvalidRequest."""
    violations = Violations()
    require_name(request.display_name, violations)
    alias(request.alias, "alias", violations)
    violations.check()
    return request.display_name, request.alias


def list_names(request: pb.ListModelNamesRequest) -> tuple[str, Page]:
    """Return the pattern and which page of names is asked for. Raises InvalidRequest."""
    violations = Violations()
    violations.short(request.pattern, "pattern")
    page = page_of(request, "names", request.pattern, violations=violations)
    violations.check()
    return request.pattern, page


def list_versions(request: pb.ListModelVersionsRequest) -> tuple[str, Page, int]:
    """Return the name, which page of its versions is asked for, and the number it begins before; 0: with the newest.

    Raises:
        InvalidRequest: one of them breaks the contract.
    """
    violations = Violations()
    require_name(request.display_name, violations)
    page = page_of(request, "versions", request.display_name, violations=violations)
    if page.cursor and not page.cursor.isdecimal():
        violations.add("page_token", "must be the next_page_token of the page before, with nothing else changed")
    violations.check()
    return request.display_name, page, int(page.cursor or 0)


def cursor_of(name: str) -> str:
    """Return a name as a cursor."""
    return quote(name, safe="")


def name_of(cursor: str) -> str:
    """Return the name that a cursor stands for."""
    return unquote(cursor)
