"""Fields of filters: from `field operator value` to a condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from dropaudit.findings import CATALOGUE
from dropaudit.report import Verdict
from dropaudit_server.requests.filter_words import BadFilter
from dropaudit_store.audits import terms
from dropaudit_store.audits.conditions import SIGNS, Condition, Created, Has, Not
from dropaudit_store.records import AuditState

_MODEL = re.compile(r"(?:models/)?([0-9a-f]{64})")
_RUN = re.compile(r"suites/[a-z0-9-]{1,63}/runs/[a-zA-Z0-9_-]{1,128}")
FIELDS = "state, verdict, finding, model, display_name, run, labels.KEY and create_time"


def restriction(path: Sequence[str], sign: str, value: str) -> Condition:
    """Return the condition of a restriction. Raises BadFilter."""
    match list(path):
        case ["labels"] if sign == ":":
            return Has(terms.label_key_term(value))
        case ["labels", key]:
            return _label(key, sign, value)
        case ["create_time"]:
            return _created(sign, value)
        case [name] if name in _TERMS:
            return _equal(Has(_TERMS[name](value)), name, sign)
    raise BadFilter(f"there is no field {'.'.join(path)!r}; {FIELDS} can be used")


def _equal(condition: Condition, name: str, sign: str) -> Condition:
    if sign in ("=", ":"):
        return condition
    if sign == "!=":
        return Not(condition)
    raise BadFilter(f"{name} can be compared with = and !=, not with {sign}")


def _label(key: str, sign: str, value: str) -> Condition:
    found = terms.label_key_term(key) if (sign, value) == (":", "*") else terms.label_term(key, value)
    return _equal(Has(found), f"labels.{key}", sign)


def _created(sign: str, value: str) -> Condition:
    if sign not in SIGNS:
        raise BadFilter(f"create_time can be compared with {' '.join(SIGNS)}, not with {sign}")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadFilter(f"{value!r} is not an instant such as 2026-11-24T12:00:00Z") from error
    return Created(sign, (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


def _state(value: str) -> str:
    return terms.state_term(AuditState(_one_of(value, [state.value for state in AuditState], "state")))


def _verdict(value: str) -> str:
    return terms.verdict_term(_one_of(value, [verdict.value for verdict in Verdict], "verdict"))


def _finding(value: str) -> str:
    return terms.finding_term(_one_of(value, list(CATALOGUE), "finding"))


def _model(value: str) -> str:
    found = _MODEL.fullmatch(value)
    if found is None:
        raise BadFilter(f"{value!r} is not a model; write models/ and 64 hexadecimal digits in quotes")
    return terms.model_term(found[1])


def _run(value: str) -> str:
    if _RUN.fullmatch(value) is None:
        raise BadFilter(f"{value!r} is not a run; write suites/…/runs/… in quotes")
    return terms.run_term(value)


def _one_of(value: str, known: Sequence[str], name: str) -> str:
    if value not in known:
        raise BadFilter(f"{value!r} is not a {name}; {', '.join(known)} can be used")
    return value


_TERMS: Mapping[str, Callable[[str], str]] = {
    "state": _state,
    "verdict": _verdict,
    "finding": _finding,
    "model": _model,
    "display_name": terms.name_term,
    "run": _run,
}
