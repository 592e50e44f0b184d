"""An audit while it runs: how fast it draws, what is undecided, and how the intervals narrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dropaudit.plan import Phase, Progress, TestProgress
from dropaudit_client.terminal.sparkline import MOST, sparkline
from dropaudit_formats.names import cut_middle

_PHASES = {Phase.PREPARING: "preparing", Phase.SAMPLING: "drawing replicates", Phase.JUDGING: "judging"}
_QUANTITIES = {"keepProb": "keep probability", "scaleFactor": "scale factor"}
_TITLE, _SUBJECT = 40, 24
MOST_TESTS = 6
# Looks that are kept of each test.
_KEPT = 64

Key = tuple[str, str]


@dataclass(slots=True)
class Running:
    """The state of a running audit.

    Attributes:
        clock: seconds that only go forward.
    """

    title: str
    clock: Callable[[], float]
    _state: Progress = field(default_factory=lambda: Progress(phase=Phase.PREPARING))
    _widths: dict[Key, list[float]] = field(default_factory=dict)
    _start: tuple[float, int] | None = None
    _rate: float = 0.0

    def take(self, state: Progress) -> None:
        """Take in the next state."""
        self._state = state
        now = self.clock()
        if state.replicates and self._start is None:
            self._start = (now, state.replicates)
        elif self._start is not None and now > self._start[0]:
            self._rate = (state.replicates - self._start[1]) / (now - self._start[0])
        for test in state.tests:
            if test.interval.upper > test.interval.lower:
                self._widths.setdefault((test.subject, test.quantity), []).append(
                    test.interval.upper - test.interval.lower
                )
                del self._widths[(test.subject, test.quantity)][:-_KEPT]

    def __rich__(self) -> RenderableType:
        undecided = [test for test in self._state.tests if not test.decided]
        if not undecided:
            return self._head()
        more = len(undecided) - MOST_TESTS
        rest = [Text(f"  and {more} more undecided", style="dim")] if more > 0 else []
        return Group(self._head(), self._table(undecided[:MOST_TESTS]), *rest)

    def _head(self) -> Text:
        state = self._state
        words = [f"{cut_middle(self.title, _TITLE)}: {_PHASES[state.phase]}"]
        if state.replicates:
            words.append(f"{state.replicates:,} of at most {state.max_replicates:,}")
        if self._rate >= 1:
            words.append(f"{self._rate:,.0f} a second")
        if state.total_tests:
            words.append(f"{state.total_tests - state.decided_tests} of {state.total_tests} tests undecided")
        return Text(" · ".join(words), overflow="ellipsis", no_wrap=True)

    def _table(self, tests: list[TestProgress]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for test in tests:
            known = test.interval.upper > test.interval.lower
            widths = self._widths.get((test.subject, test.quantity), [])
            table.add_row(
                Text(f"  {cut_middle(test.subject, _SUBJECT)}"),
                Text(_QUANTITIES.get(test.quantity, test.quantity), style="dim"),
                Text(f"[{test.interval.lower:.3g}, {test.interval.upper:.3g}]" if known else "not known yet"),
                Text(sparkline(widths, MOST), style="cyan"),
            )
        return table
