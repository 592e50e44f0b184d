"""The suites of a service as a document, which gives them again when it is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from dropaudit_client.documents.messages import OWNER_LABEL

_SCHEMA = "# yaml-language-server: $schema=suites.schema.json\n"
_MEMBERS_WITH_ARRAYS = ("recorded",)


def exported(suites: Mapping[str, Mapping[str, Any]], owner: str) -> tuple[str, list[str]]:
    """Return a document in YAML, and in a sentence each what it cannot hold.

    Args:
        suites: normal forms, by id.
        owner: whose the document is; it stands in no suite.
    """
    plain = {suite_id: _suite(suite_id, suite) for suite_id, suite in suites.items()}
    notes = [note for suite_id, suite in suites.items() for note in _notes(suite_id, suite)]
    document = {"owner": owner, "suites": plain}
    return _SCHEMA + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), notes


def secret_variable(suite_id: str, place: int) -> str:
    """Return the environment variable that a document names for a key which the service does not tell."""
    return f"{suite_id.upper().replace('-', '_')}_WEBHOOK_SECRET{f'_{place + 1}' if place else ''}"


def _suite(suite_id: str, suite: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: _worded(item, key) for key, item in suite.items()}
    labels = {key: value for key, value in suite.get("labels", {}).items() if key != OWNER_LABEL}
    found["labels"] = labels
    found["members"] = [_member(each) for each in found.get("members", []) if not _holds_arrays(each)]
    found["accepted_findings"] = [_accepted(each) for each in found.get("accepted_findings", [])]
    found["notifications"] = [
        _notification(suite_id, place, each) for place, each in enumerate(found.get("notifications", []))
    ]
    order = ("display_name", "members", "options", "schedule", "baseline", "always_audit")
    first = {key: found[key] for key in order if found.get(key)}
    return first | {key: item for key, item in found.items() if item and key not in first}


def _worded(value: Any, field: str) -> Any:
    """Write words as the document's readers do."""
    match value:
        case dict():
            return {key: _worded(item, key) for key, item in value.items()}
        case list():
            return [_worded(item, field) for item in value]
        case str() if field in ("role", "overlap", "trigger", "form", "provider", "compare_provider"):
            return value.removeprefix("PROVIDER_").lower()
    return value


def _member(member: dict[str, Any]) -> dict[str, Any]:
    """Leave out arrays that a member is run on: a document names files and settings alone."""
    return {
        key: {name: item for name, item in part.items() if name != "inputs"} if isinstance(part, dict) else part
        for key, part in member.items()
    }


def _holds_arrays(member: Mapping[str, Any]) -> bool:
    return any(kind in member for kind in _MEMBERS_WITH_ARRAYS)


def _accepted(found: dict[str, Any]) -> dict[str, Any]:
    acceptance = found.pop("acceptance", {})
    return {"code": found.pop("code"), **acceptance, **found}


def _notification(suite_id: str, place: int, found: dict[str, Any]) -> dict[str, Any]:
    signed = found.pop("signed", False)
    return {**found, "secret_from": secret_variable(suite_id, place)} if signed else found


def _notes(suite_id: str, suite: Mapping[str, Any]) -> Iterator[str]:
    for place, member in enumerate(suite.get("members", [])):
        if _holds_arrays(member):
            yield f"{suite_id}: members[{place}] is recorded arrays, which a document cannot hold"
        elif any(isinstance(part, dict) and part.get("inputs") for part in member.values()):
            yield f"{suite_id}: members[{place}] is run on arrays, which a document cannot hold"
    for place, each in enumerate(suite.get("notifications", [])):
        if each.get("signed"):
            yield f"{suite_id}: the key of notifications[{place}] is expected in {secret_variable(suite_id, place)}"
