"""Claims about an audit that is watched while it runs."""

from __future__ import annotations

import io
import os
import pty
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from dropaudit.plan import Phase, Progress, TestProgress
from dropaudit.report import Interval
from dropaudit_client.terminal.running import MOST_TESTS, Running
from dropaudit_models import export
from support.command import COMMAND


class Stopwatch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


def undecided(subject: str, width: float, *, decided: bool = False) -> TestProgress:
    interval = Interval(estimate=0.5, lower=0.5 - width / 2, upper=0.5 + width / 2)
    return TestProgress(subject, "keepProb", interval, decided)


def sampling(replicates: int, *tests: TestProgress) -> Progress:
    return Progress(
        phase=Phase.SAMPLING,
        replicates=replicates,
        max_replicates=65536,
        decided_tests=sum(test.decided for test in tests),
        total_tests=len(tests),
        tests=tests,
    )


def shown(running: Running, width: int = 100) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(running)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_before_the_first_replicate_only_the_phase_is_known(clock: Stopwatch) -> None:
    assert shown(Running("m.onnx", clock)) == ["m.onnx: preparing"]


def test_replicates_a_second_and_what_is_undecided_are_shown(clock: Stopwatch) -> None:
    running = Running("m.onnx", clock)
    running.take(sampling(100, undecided("a", 0.2), undecided("b", 0.2)))
    clock.now = 2.0
    running.take(sampling(1100, undecided("a", 0.1), undecided("b", 0.05, decided=True)))
    head, test = shown(running)
    assert head == "m.onnx: drawing replicates · 1,100 of at most 65,536 · 500 a second · 1 of 2 tests undecided"
    assert test.split() == ["a", "keep", "probability", "[0.45,", "0.55]", "█▄"]


def test_intervals_are_seen_to_narrow(clock: Stopwatch) -> None:
    running = Running("m.onnx", clock)
    for look, width in enumerate((0.8, 0.4, 0.2, 0.1), 1):
        running.take(sampling(look, undecided("a", width)))
    assert shown(running)[1].endswith("█▄▂▁")


def test_a_test_that_cannot_be_looked_at_yet_says_so(clock: Stopwatch) -> None:
    running = Running("m.onnx", clock)
    running.take(sampling(10, undecided("a", 0.0)))
    assert "not known yet" in shown(running)[1]


def test_of_many_undecided_tests_the_first_are_shown_and_the_others_counted(clock: Stopwatch) -> None:
    running = Running("m.onnx", clock)
    running.take(sampling(10, *(undecided(f"s{n}", 0.1) for n in range(200))))
    lines = shown(running)
    assert len(lines) == MOST_TESTS + 2
    assert lines[-1].strip() == f"and {200 - MOST_TESTS} more undecided"


@pytest.mark.parametrize("width", [60, 100])
def test_names_from_a_model_neither_steer_the_terminal_nor_leave_it(clock: Stopwatch, width: int) -> None:
    running = Running("\x1b[2J" + "n" * 10_000, clock)
    running.take(sampling(10, undecided("\u202e\x9b" + "s" * 10_000, 0.1)))
    lines = shown(running, width)
    assert max(map(len, lines)) <= width
    assert not set("".join(lines)) & set("\x1b\x9b\u202e")


def test_on_a_terminal_progress_is_shown_and_taken_away_and_stdout_holds_the_report_alone(tmp_path: Path) -> None:
    path = export("lstm-dropout", tmp_path)
    reader, terminal = pty.openpty()
    command = [*COMMAND, "run", str(path), "--role", "train", "--format", "json"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, timeout=60, check=True)
    os.close(terminal)
    seen = os.read(reader, 1 << 20).decode()
    os.close(reader)
    assert "lstm-dropout.onnx: preparing" in seen
    assert ended.stdout.startswith(b"{")
