"""Keeps what a model can blow up within a number of bytes, and says what was left out.

Names, the number of sites and the number of outputs are the model's to choose, and a report repeats them: n sites of
one name each may be mentioned n times n times. Everything here works on the proto3 JSON form.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

LONGEST_NAME = 512
LONGEST_SENTENCE = 4096
REPORT_BYTES = 2 << 20

# Sentences may be longer than names.
_SENTENCES = frozenset(
    {"message", "remedy", "summary", "fallbacks", "shortened", "placement", "samplingReason", "reason"}
)
_UINT32 = frozenset(
    {
        "seed",
        "replicates",
        "maxReplicates",
        "decidedTests",
        "totalTests",
        "elements",
        "counts",
        "below",
        "above",
        "columns",
        "readers",
        "shape",
    }
)
_LARGEST_UINT32 = 2**32 - 1
# Beyond this a double holds no integer exactly, and a Struct holds doubles.
_LARGEST_EVIDENCE = 2**53
_DEEPEST = 16
# As many findings of one kind are told one by one.
_MOST_ALIKE = 20
_MOST_LISTED = 50
_EVIDENCE_BYTES = 32 << 10
_BRIEF_BYTES = 64 << 10
_TOLD_IN_LISTS = frozenset({"verdict", "summary", "shortened"})
_MARK = "…"


def cut(text: str, most: int) -> str:
    """Return text of at most `most` bytes of UTF-8; what was cut ends with an ellipsis."""
    if len(text) <= most and text.isascii():
        return text
    content = text.encode("utf-8", "replace")
    if len(content) <= most:
        return content.decode()
    return content[: most - len(_MARK.encode())].decode("utf-8", "ignore") + _MARK


def cut_name(name: str, most: int = LONGEST_NAME) -> str:
    """Return a name of at most `most` bytes; of a cut one the end is a digest, so that different names stay so."""
    if len(name) <= most and name.isascii():
        return name
    content = name.encode("utf-8", "replace")
    if len(content) <= most:
        return content.decode()
    end = f"{_MARK}{hashlib.sha256(content).hexdigest()[:12]}"
    return content[: most - len(end.encode())].decode("utf-8", "ignore") + end


def wire_bytes(value: Any) -> int:
    """Return no less than the bytes that a value of a message's JSON form takes in the message, a Struct included."""
    match value:
        case str():
            return _utf8_bytes(value) + 8
        case dict():
            return 16 + sum(_utf8_bytes(str(name)) + 16 + wire_bytes(each) for name, each in value.items())
        case list() | tuple():
            return 16 + sum(map(wire_bytes, value))
    return 12


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def shortened(report: dict[str, Any], most: int = REPORT_BYTES) -> dict[str, Any]:
    """Return a report, in its JSON form, whose message takes at most `most` bytes and which any protobuf parses.

    Args:
        report: the JSON form of `dropaudit.v1.Report`; it is not changed.
        most: bytes, at least 64 KiB.
    """
    plain = _Plain()
    found: dict[str, Any] = plain.value(report, "")
    said = [*found.get("shortened", ()), *plain.said(), *_cut_evidence(found)]
    budget = most - _room_for_sentences(found)
    if wire_bytes(found) > budget:
        for step in (_fold_findings, _drop_figures, _drop_curves, _drop_attributions):
            said += step(found)
            if wire_bytes(found) <= budget:
                break
        said += _halve(found, budget)
    return {**found, "shortened": said} if said else found


def _room_for_sentences(report: dict[str, Any]) -> int:
    """Return the bytes to leave for what is said; a report that was shortened before has used some of them."""
    return max(0, LONGEST_SENTENCE - wire_bytes(report.get("shortened", ())))


def brief(report: dict[str, Any]) -> dict[str, Any]:
    """Return what lists tell of a shortened report: no sites and outputs, and findings without their evidence."""
    kept = {name: value for name, value in report.items() if name in _TOLD_IN_LISTS}
    findings = [
        {name: value for name, value in finding.items() if name != "evidence"} for finding in report.get("findings", ())
    ]
    found: dict[str, Any] = {**kept, "findings": findings, "execution": dict(report.get("execution", {}))}
    said = _halve(found, _BRIEF_BYTES)
    return {**found, "shortened": [*found.get("shortened", ()), *said]} if said else found


def shortened_list(items: list[dict[str, Any]], what: str, most: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Return as many of the items as `most` bytes hold, and sentences that say what was left out or cut."""
    plain = _Plain()
    found = {what: plain.value(items, what)}
    said = [*plain.said(), *_halve(found, most)]
    return found[what], said


class _Plain:
    """Cuts what is too long, and notes that it did."""

    def __init__(self) -> None:
        self._has_cut = False

    def said(self) -> list[str]:
        """Return what was done, in a sentence."""
        sentence = f"names of more than {LONGEST_NAME} bytes, or sentences of more than {LONGEST_SENTENCE}, are cut"
        return [sentence] if self._has_cut else []

    def value(self, value: Any, field: str, depth: int = 0) -> Any:
        """Return a value that every protobuf library takes for a field of this name."""
        match value:
            case str():
                return self._text(value, field)
            case dict() | list() | tuple() if depth > _DEEPEST:
                self._has_cut = True
                return _MARK
            case dict():
                return {
                    self._text(str(name), ""): self.value(each, str(name), depth + 1) for name, each in value.items()
                }
            case list() | tuple():
                return [self.value(each, field, depth + 1) for each in value]
            case bool() | None:
                return value
            case int():
                return _integer(value, field)
            case float() if not math.isfinite(value):
                return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return value

    def _text(self, text: str, field: str) -> str:
        kept = cut(text, LONGEST_SENTENCE) if field in _SENTENCES else cut_name(text)
        self._has_cut |= kept != text
        return kept


def _integer(value: int, field: str) -> int | float:
    if field in _UINT32:
        return min(max(value, 0), _LARGEST_UINT32)
    return value if abs(value) <= _LARGEST_EVIDENCE else float(max(-(10**300), min(10**300, value)))


def _cut_evidence(report: dict[str, Any]) -> list[str]:
    """Keep the evidence of each finding small: of long lists the beginning and the number, of the rest what fits."""
    has_cut = False
    for finding in report.get("findings", ()):
        evidence = finding.get("evidence", {})
        if wire_bytes(evidence) > _EVIDENCE_BYTES:
            has_cut, finding["evidence"] = True, _small(capped(evidence))
    return [f"evidence of more than {_EVIDENCE_BYTES} bytes is cut"] if has_cut else []


def capped(evidence: dict[str, Any], most: int = _MOST_LISTED) -> dict[str, Any]:
    """Return evidence whose lists hold at most `most` items; `…Count` tells how many a cut one had."""
    found = {}
    for name, value in evidence.items():
        is_long = isinstance(value, list | tuple) and len(value) > most
        found[name] = value[:most] if is_long else value
        if is_long:
            found[f"{name}Count"] = len(value)
    return found


def _small(evidence: dict[str, Any]) -> dict[str, Any]:
    found, left = {}, _EVIDENCE_BYTES
    for name, value in evidence.items():
        left -= wire_bytes({name: value})
        if left >= 0:
            found[name] = value
    return found


def _fold_findings(report: dict[str, Any]) -> list[str]:
    """Tell one by one only the first findings of a kind, and the others in one finding that lists their sites."""
    findings = report.get("findings", [])
    kinds = [list(alike) for _, alike in groupby(findings, _kind_of)]
    report["findings"] = [each for alike in kinds for each in _folded(alike)]
    if len(report["findings"]) == len(findings):
        return []
    return [
        f"{len(findings)} findings are told as {len(report['findings'])}: those beyond {_MOST_ALIKE} of a kind in one"
    ]


def _kind_of(finding: dict[str, Any]) -> tuple[Any, ...]:
    """Return what findings that are told as one have in common; what is accepted does not stand for what is not."""
    return finding.get("severity"), finding.get("code"), finding.get("acceptance")


def _folded(alike: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from alike[:_MOST_ALIKE]
    rest = alike[_MOST_ALIKE:]
    if rest:
        subjects = [each.get("subject", "") for each in rest]
        listed = min(len(rest), _MOST_LISTED)
        message = f"{len(rest)} more sites or outputs like those above; the evidence names {listed} of them."
        yield {**rest[0], "message": message, "evidence": capped({"subjects": subjects})}


_FIGURES = ("keepProbTrajectory", "factors", "surroundings", "scaleFactorTrajectory", "excerpt")


def _drop_figures(report: dict[str, Any]) -> list[str]:
    owners = [*report.get("sites", ()), *report.get("outputs", ())]
    had = [each.pop(name, None) for each in owners for name in _FIGURES]
    return ["how intervals narrowed, excerpts and surroundings are left out"] if any(had) else []


def _drop_curves(report: dict[str, Any]) -> list[str]:
    for output in report.get("outputs", ()):
        output.pop("histogram", None)
        output.pop("timeProfile", None)
    return ["histograms and profiles over time are left out"] if report.get("outputs") else []


def _drop_attributions(report: dict[str, Any]) -> list[str]:
    had = [output.pop("attributions", None) for output in report.get("outputs", ())]
    return ["what each site does to an output is left out"] if any(had) else []


def _halve(report: dict[str, Any], most: int) -> list[str]:
    """Leave out the second half of what is longest, again and again, until all of it fits."""
    lists = [_Cuttable(name, report) for name in ("findings", "sites", "outputs", "tests", "shortened")]
    lists += [_Cuttable(name, report.get("execution", {})) for name in ("inputs", "artifacts", "fallbacks")]
    while wire_bytes(report) > most and (longest := max(lists, key=lambda each: each.bytes)).bytes:
        longest.halve()
    return [each.said() for each in lists if each.is_cut]


class _Cuttable:
    """A list of a report that may lose its end."""

    def __init__(self, name: str, owner: dict[str, Any]) -> None:
        self._name = name
        self._owner = owner
        self._before = len(owner.get(name, ()))
        self.bytes = wire_bytes(owner[name]) if owner.get(name) else 0

    @property
    def is_cut(self) -> bool:
        return len(self._owner.get(self._name, ())) < self._before

    def halve(self) -> None:
        kept = self._owner[self._name] = self._owner[self._name][: len(self._owner[self._name]) // 2]
        self.bytes = wire_bytes(kept) if kept else 0

    def said(self) -> str:
        return f"{self._name}: {len(self._owner[self._name])} of {self._before} are told"
