"""Claims about the filter language: what it means, and what is refused."""

from __future__ import annotations

import pytest

from dropaudit_server.requests.filter_words import BadFilter
from dropaudit_server.requests.filters import read_filter
from dropaudit_store.audits import terms
from dropaudit_store.audits.conditions import EVERYTHING, And, Condition, Created, Has, Not, Or
from dropaudit_store.records import AuditState

FAILED = Has(terms.state_term(AuditState.FAILED))
QUEUED = Has(terms.state_term(AuditState.QUEUED))
FAIL = Has(terms.verdict_term("FAIL"))
TEAM = Has(terms.label_term("team", "speech"))
MODEL = "a" * 64

MEANINGS: dict[str, Condition] = {
    "": EVERYTHING,
    "  ": EVERYTHING,
    "state = FAILED": FAILED,
    "state=FAILED": FAILED,
    'state = "FAILED"': FAILED,
    "state != FAILED": Not(FAILED),
    "NOT state = FAILED": Not(FAILED),
    "-state = FAILED": Not(FAILED),
    "verdict = FAIL AND state = FAILED": And((FAIL, FAILED)),
    "verdict = FAIL state = FAILED": And((FAIL, FAILED)),
    # OR binds closer than AND.
    "state = FAILED AND verdict = FAIL OR state = QUEUED": And((FAILED, Or((FAIL, QUEUED)))),
    "(state = FAILED AND verdict = FAIL) OR state = QUEUED": Or((And((FAILED, FAIL)), QUEUED)),
    "NOT (state = FAILED OR state = QUEUED)": Not(Or((FAILED, QUEUED))),
    "labels.team = speech": TEAM,
    'labels."team" = "speech"': TEAM,
    "labels.team != speech": Not(TEAM),
    "labels:team": Has(terms.label_key_term("team")),
    "labels.team:*": Has(terms.label_key_term("team")),
    r'labels.team = "a \"b\" ) AND"': Has(terms.label_term("team", 'a "b" ) AND')),
    "labels.version = 1.2.3": Has(terms.label_term("version", "1.2.3")),
    "finding = DA301": Has(terms.finding_term("DA301")),
    "finding:DA301": Has(terms.finding_term("DA301")),
    f'model = "models/{MODEL}"': Has(terms.model_term(MODEL)),
    f"model = models/{MODEL}": Has(terms.model_term(MODEL)),
    'create_time >= "1970-01-01T00:00:01Z"': Created(">=", 1000.0),
    'create_time < "1970-01-01T01:00:00.5+01:00"': Created("<", 500.0),
    "create_time > 1970-01-02": Created(">", 86_400_000.0),
}


@pytest.mark.parametrize("source", MEANINGS)
def test_a_filter_means_what_the_standard_says(source: str) -> None:
    assert read_filter(source) == MEANINGS[source]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("state", "a comparison, such as =, was expected at character 6, not the end"),
        ("state =", "a value was expected at character 8"),
        ("state = DONE", "'DONE' is not a state; QUEUED, RUNNING"),
        ("state > QUEUED", "state can be compared with = and !="),
        ("verdict = GOOD", "'GOOD' is not a verdict"),
        ("finding = DA000", "'DA000' is not a finding"),
        ("model = lstm", "'lstm' is not a model"),
        ("speed = 3", "there is no field 'speed'; state, verdict, finding, model, display_name, run, labels.KEY"),
        ("state.name = X", "there is no field 'state.name'"),
        ("labels = x", "there is no field 'labels'"),
        ("create_time > yesterday", "'yesterday' is not an instant such as"),
        ("create_time : 1970-01-02", "create_time can be compared with"),
        ("(state = FAILED", "a closing parenthesis was expected at character 16"),
        ("state = FAILED)", "AND, OR or the end was expected at character 15, not ')'"),
        ("AND state = FAILED", "a comparison"),
        ("state = FAILED AND", "a field was expected"),
        ('state = "FAILED', "cannot be read"),
        ("state = FAILED ! x", "cannot be read"),
        ("(" * 30 + "state = FAILED" + ")" * 30, "at most 20 parentheses"),
        ("state = FAILED " * 200, "at most 400 words"),
        ("x" * 5000, "at most 4096 characters"),
    ],
)
def test_what_is_no_filter_is_said_in_a_sentence(source: str, word: str) -> None:
    with pytest.raises(BadFilter) as caught:
        read_filter(source)
    assert word in str(caught.value)
