"""A run as a message of Slack: one line that says it all, then the members of which something is to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dropaudit.safe_text import safe

# Slack refuses a block of more than 3,000 characters.
_LONGEST = 2900
_MOST_MEMBERS = 20
_MOST_FINDINGS = 5
_MARKS = {
    "PASS": ":white_check_mark:",
    "WARN": ":warning:",
    "FAIL": ":x:",
    "INCONCLUSIVE": ":grey_question:",
}
_VERBS = {"NEW": "new", "FIXED": "fixed"}


def slack_message(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message of an incoming webhook for a notification's payload, see `message_for`."""
    run = payload.get("run", {})
    head = _head(run)
    lines = list(_lines(run))
    blocks = [_section(head)]
    if lines:
        blocks.append(_section("\n".join(lines)))
    link = payload.get("links", {}).get("run", "")
    if link:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(link)[:_LONGEST]}]})
    return {"text": head, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    cut = text if len(text) <= _LONGEST else text[:_LONGEST].rpartition("\n")[0] + "\n…"
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut}}


def _head(run: Mapping[str, Any]) -> str:
    verdict = run.get("verdict", "INCONCLUSIVE")
    suite = str(run.get("name", "")).partition("/runs/")[0].removeprefix("suites/")
    counts = run.get("counts", {})
    told = [
        f"{counts[key]} {words}"
        for key, words in (("fail", "FAIL"), ("failed", "not made"), ("inconclusive", "INCONCLUSIVE"), ("pass", "PASS"))
        if counts.get(key)
    ]
    reason = escaped(str(run.get("reason", "")))
    said = "; ".join(filter(None, (", ".join(told), reason)))
    return f"{_MARKS.get(verdict, '')} *{escaped(suite)}*: {verdict}{f' ({said})' if said else ''}"


def _lines(run: Mapping[str, Any]) -> Iterator[str]:
    members = run.get("comparison", {}).get("members", [])
    for member in members[:_MOST_MEMBERS]:
        yield _member(member)
    if len(members) > _MOST_MEMBERS:
        yield f"… and {len(members) - _MOST_MEMBERS} more"


def _member(member: Mapping[str, Any]) -> str:
    before, after = (_verdict(member, key) for key in ("baseVerdict", "verdict"))
    verdicts = f"{before} → {after}" if before != after else after
    kind = str(member.get("kind", "KEPT"))
    words = [f"{verdicts}" if kind in ("KEPT", "KIND_UNSPECIFIED") else f"{kind.lower()}, {verdicts}"]
    news = [each for each in member.get("findings", []) if each.get("kind") in _VERBS]
    words += [f"{_VERBS[each['kind']]} {_finding(each)}" for each in news[:_MOST_FINDINGS]]
    words += [f"{len(news) - _MOST_FINDINGS} more findings"] if len(news) > _MOST_FINDINGS else []
    words += [f"{each.get('quantity', '')} of {escaped(each.get('subject', ''))} moved" for each in _moved(member)]
    return f"• `{escaped(str(member.get('displayName', '')))}`: {'; '.join(words)}"


def _moved(member: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(member.get("measures", []))[:_MOST_FINDINGS]


def _verdict(member: Mapping[str, Any], key: str) -> str:
    found = str(member.get(key, ""))
    return found if found in _MARKS else "-"


def _finding(finding: Mapping[str, Any]) -> str:
    return f"{escaped(str(finding.get('code', '')))} {escaped(str(finding.get('subject', '')))}".strip()


def escaped(text: str) -> str:
    """Return a text that mentions nobody, links nowhere and formats nothing; unsafe characters are spelled out."""
    return safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
