"""Suites of a document as the service's messages, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format

from dropaudit.plan import DEFAULT_ALPHA, DEFAULT_MAX_REPLICATES, DEFAULT_TOLERANCE
from dropaudit_client.documents.suites import Notification, Suite, SuitesDocument
from dropaudit_proto.v1 import audit_pb2 as pb

OWNER_LABEL = "suites-file"

# The server's own fields, and what never comes back from it.
_SERVERS = frozenset({"name", "create_time", "update_time", "etag", "last_run", "next_time", "secret"})
# Defaults of fields, so that a suite that spells them out is the same suite.
_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "role": ("ROLE_UNSPECIFIED", "AUTO"),
    "provider": ("PROVIDER_UNSPECIFIED", "PROVIDER_AUTO"),
    "compare_provider": ("PROVIDER_UNSPECIFIED",),
    "overlap": ("OVERLAP_UNSPECIFIED", "SKIP"),
    "trigger": ("TRIGGER_UNSPECIFIED", "ON_CHANGE"),
    "form": ("FORM_UNSPECIFIED", "JSON"),
    "grace": ("600s", "0s"),
    "time_zone": ("UTC",),
    "alpha": (DEFAULT_ALPHA,),
    "tolerance": (DEFAULT_TOLERANCE,),
    "max_replicates": (DEFAULT_MAX_REPLICATES,),
    "member": ("*",),
    "subject": ("*",),
    "file": ("model.onnx",),
}


class SecretMissing(ValueError):
    """An environment variable that holds the key of a signature is not set."""

    def __init__(self, suite_id: str, place: int, variable: str) -> None:
        super().__init__(f"the environment variable {variable} is not set")
        self.keys = ("suites", suite_id, "notifications", place, "secret_from")


def messages_of(document: SuitesDocument, environ: Mapping[str, str]) -> dict[str, pb.Suite]:
    """Return the message of every suite, by id; each carries the label that tells whose it is.

    Args:
        environ: holds the keys of signatures.

    Raises:
        SecretMissing: a variable is not set.
    """
    found: dict[str, pb.Suite] = {
        suite_id: json_format.ParseDict(_plain(suite_id, suite, document.owner, environ), pb.Suite())
        for suite_id, suite in document.suites.items()
    }
    return found


def _plain(suite_id: str, suite: Suite, owner: str, environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = _worded(suite.model_dump(mode="json", exclude_none=True))
    found["name"] = f"suites/{suite_id}"
    found["labels"] = {**suite.labels, OWNER_LABEL: owner}
    found["accepted_findings"] = [_accepted(each) for each in found["accepted_findings"]]
    found["notifications"] = [
        _notification(suite_id, place, each, environ) for place, each in enumerate(suite.notifications)
    ]
    return found


def _worded(value: Any, field: str = "") -> Any:
    """Write words and durations as proto3 JSON does."""
    match value:
        case dict():
            return {key: _worded(item, key) for key, item in value.items()}
        case list():
            return [_worded(item, field) for item in value]
        case str() if field in ("provider", "compare_provider"):
            return f"PROVIDER_{value.upper()}"
        case str() if field in ("role", "overlap", "trigger", "form"):
            return value.upper()
        case int() if field == "grace":
            return f"{value}s"
    return value


def _accepted(found: dict[str, Any]) -> dict[str, Any]:
    acceptance = {key: found.pop(key) for key in ("reason", "accepted_by", "expire_time") if key in found}
    return {**found, "acceptance": acceptance}


def _notification(suite_id: str, place: int, found: Notification, environ: Mapping[str, str]) -> dict[str, Any]:
    plain: dict[str, Any] = _worded(found.model_dump(mode="json", exclude_none=True, exclude={"secret_from"}))
    if found.secret_from is None:
        return plain
    if not environ.get(found.secret_from):
        raise SecretMissing(suite_id, place, found.secret_from)
    return {**plain, "secret": environ[found.secret_from], "signed": True}


def normal_form(suite: pb.Suite) -> dict[str, Any]:
    """Return what a suite says, without what is the server's and what says no more than its absence would.

    Two suites with one normal form are the same, but for keys of signatures, which never come back.
    """
    found: dict[str, Any] = json_format.MessageToDict(suite, preserving_proto_field_name=True)
    labels = found.pop("labels", {})
    return {**_normal(found), **({"labels": dict(sorted(labels.items()))} if labels else {})}


def _normal(value: Any) -> Any:
    match value:
        case dict():
            return dict(_kept(value))
        case list():
            return [_normal(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _kept(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in sorted(found.items()):
        if key == "range":
            # Nothing may be missing from it: 0 is a number like others.
            yield key, {"lower": item.get("lower", 0), "upper": item.get("upper", 0)}
        elif key not in _SERVERS and item not in _DEFAULTS.get(key, ()) and (plain := _normal(item)):
            yield key, plain
