"""Changes laid out for people: a pure function from changes to what rich prints, or to plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from dropaudit.changes import Kind, MemberChange, Series, Standing, Status
from dropaudit.changes.found import ChangedFinding
from dropaudit.changes.movement import Movement, Quantity
from dropaudit_formats.escape import safe

_STYLES = {
    Status.FAILED: "bold red",
    Status.RECOVERED: "bold green",
    Status.CHANGED: "bold yellow",
    Status.FIRST: "bold",
    Status.UNCHANGED: "dim",
}
_WORDS = {Quantity.KEEP_PROB: "keep rate", Quantity.SCALE: "scale", Quantity.SCALE_FACTOR: "scale factor"}
_NOTHING = "Nothing changed."


def render_changes(changes: Sequence[MemberChange], more: Iterable[str] = ()) -> RenderableType:
    """Lay out what changed about members; those without news are left out. 80 columns suffice.

    Args:
        more: sentences to end with, such as what was left out.
    """
    news = [change for change in changes if change.is_news]
    parts: list[RenderableType] = [Text(_count(news) if news else _NOTHING)]
    for change in news:
        parts += [Text(), _headline(change), Padding(Group(*map(Text, _lines(change))), (0, 0, 0, 2))]
    parts += [Text(safe(sentence)) for sentence in more]
    return Group(*parts)


def _count(news: Sequence[MemberChange]) -> str:
    members = "1 member" if len(news) == 1 else f"{len(news)} members"
    words = [(sum(each.status is status for each in news), status) for status in Status]
    return f"{members} changed: " + ", ".join(f"{count} {status.lower()}" for count, status in words if count) + "."


def _headline(change: MemberChange) -> Text:
    kind = "" if change.kind is Kind.KEPT else f", {change.kind.lower()}"
    before, after = _standing(change.before), _standing(change.after)
    verdicts = after if before == after else f"{before} → {after}"
    return Text.assemble(
        (change.status.value, _STYLES[change.status]), (f"  {safe(change.member)}", "bold"), f"  {verdicts}{kind}"
    )


def _standing(standing: Standing | None) -> str:
    if standing is None:
        return "-"
    return standing.verdict.value if standing.verdict else "NOT MADE"


def _lines(change: MemberChange) -> Iterator[str]:
    if change.after and change.after.verdict is None and change.after.summary:
        yield safe(change.after.summary)
    found = change.findings
    for word, group in (
        ("new", found.new),
        ("back", found.returned),
        ("fixed", found.fixed),
        ("accepted", found.newly_accepted),
        ("still", found.persisting),
    ):
        yield from (_finding(word, each) for each in group)
    yield from map(_movement, change.moved)
    yield from (f"{safe(old)} is called {safe(new)} now" for old, new in change.renamed.items())
    if change.runtime_changed and change.before and change.after:
        yield f"{safe(change.before.runtime_version)} → {safe(change.after.runtime_version)}"


def _finding(word: str, finding: ChangedFinding) -> str:
    where = ", ".join(finding.sites) or finding.subject
    was = f" (was {finding.was})" if finding.was else ""
    accepted = " (accepted)" if finding.accepted and word != "accepted" else ""
    said = f": {finding.message}" if word in ("new", "back") else ""
    return safe(f"{word} {finding.severity} {finding.code} {finding.slug} of {where}{was}{accepted}{said}")


def _movement(movement: Movement) -> str:
    name = _WORDS[movement.quantity]
    return f"moved {name} of {safe(movement.subject)}: {movement.before} → {movement.after}"


def render_series(series: Iterable[Series]) -> RenderableType:
    """Lay out the series of each measure, oldest first; a point that moved is marked."""
    parts: list[RenderableType] = []
    for each in series:
        parts.append(Text(f"{_WORDS[each.quantity]} of {safe(each.subject)}", "bold"))
        for point in each.points:
            mark = "  moved" if point.moved else ""
            parts.append(Padding(Text(f"{safe(point.label)}  {point.value}{mark}"), (0, 0, 0, 2)))
    return Group(*parts or [Text("Nothing was measured.")])
