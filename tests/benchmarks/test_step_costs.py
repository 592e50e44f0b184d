"""Claims about the profile of an audit: its steps are those that an audit takes."""

from __future__ import annotations

import onnxruntime

from cases import Case
from step_costs import STEPS, document, measured


def test_every_step_of_the_table_is_taken() -> None:
    before = onnxruntime.InferenceSession
    found = measured(Case(hidden=8, batch=2, time=3), 1)
    assert {name for _, name, _ in STEPS} <= found.keys()
    assert onnxruntime.InferenceSession is before
    assert len(list(document({"small": found}))) == 6 + len(STEPS) + 3


def test_an_audit_of_one_lstm_takes_as_many_sessions_and_runs_as_the_table_says() -> None:
    found = measured(Case(), 2)
    assert (found["sessions"], found["runs"]) == (7, 19)
