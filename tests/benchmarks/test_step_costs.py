"""Claims about the profile of an audit: its steps are those that an audit takes."""

from __future__ import annotations

import onnxruntime

from cases import Case
from step_costs import RUNTIME, STEPS, Loop, document, measured


def test_every_step_of_the_table_is_taken() -> None:
    before = onnxruntime.InferenceSession
    first, second = (measured(Case(hidden=8, batch=2, time=3), audit, 1) for audit in ("first", "second"))
    assert {name for _, name, _ in STEPS} <= first.keys()
    assert {"sessions, ms", "runs, ms"} <= first.keys()
    assert onnxruntime.InferenceSession is before
    lines = list(document({("hidden 128", "first"): first, ("hidden 128", "second"): second}, Loop(600.0, "a machine")))
    # Two tables with two lines of heads, and what of the time is not a step.
    assert sum(line.startswith("|") for line in lines) == len(STEPS) + len(RUNTIME) + 2 * 2 + 3 + 3
    assert any("1/30 of that is 20.0 ms" in line for line in lines)


def test_an_audit_of_one_lstm_takes_as_many_sessions_and_runs_as_the_table_says() -> None:
    found = measured(Case(), "first", 2)
    assert (found["sessions"], found["sessions of lanes"]) == (3, 2)
    assert (found["runs"], found["runs of lanes"]) == (10, 2)


def test_the_next_audit_of_it_only_draws() -> None:
    found = measured(Case(), "second", 2)
    assert (found["sessions of lanes"], found["runs of lanes"]) == (2, 2)
    assert not {"sessions", "runs"} & found.keys()
