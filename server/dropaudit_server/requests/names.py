"""Resource names of requests."""

from __future__ import annotations

import re

from dropaudit_server.requests.violations import InvalidRequest, Violations
from dropaudit_store.errors import UriRefused

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MODEL = re.compile(r"models/([0-9a-f]{64})")


def model_digest(name: str, path: str, violations: Violations) -> str:
    """Return the SHA-256 in `models/{sha256}`."""
    found = _MODEL.fullmatch(name)
    if found is None:
        violations.add(path, "must be models/ and 64 lower-case hexadecimal digits, as UploadModel returns")
        return ""
    return found[1]


def allowed_uri(uri: str, path: str, violations: Violations) -> str:
    """Return a URI that an operator allows."""
    try:
        violations.rules.uris.require(uri)
    except UriRefused as error:
        violations.add(path, error.message, error.reason)
    return uri


def stored_model(name: str) -> str:
    """Return the SHA-256 that a request names. Raises InvalidRequest."""
    violations = Violations()
    digest = model_digest(name, "name", violations)
    violations.check()
    return digest


def resource_id(name: str, collection: str, field: str = "name") -> str:
    """Return the last part of `collection/id`. Raises InvalidRequest."""
    found = re.fullmatch(rf"{collection}/([a-zA-Z0-9_-]{{1,128}})", name)
    if found is None:
        raise InvalidRequest([(field, f"must be {collection}/ and an id, not {name!r}")])
    return found[1]


def run_ids(name: str) -> tuple[str, str]:
    """Return suite and run of `suites/{suite}/runs/{run}`. Raises InvalidRequest."""
    found = re.fullmatch(r"suites/([a-z0-9-]{1,63})/runs/([a-zA-Z0-9_-]{1,128})", name)
    if found is None:
        raise InvalidRequest([("name", f"must be suites/…/runs/…, not {name!r}")])
    return found[1], found[2]


def check_request_id(request_id: str, violations: Violations, path: str = "request_id") -> None:
    """Note a request id that is too long to keep, or that only this service itself may use."""
    if len(request_id) > 128 or _CONTROL.search(request_id):
        violations.add(path, "at most 128 characters, none of them a control character")
