"""Claims about false alarms and power, on few seeds, and about how they are counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dropaudit.findings import CATALOGUE
from dropaudit.plan import Role
from dropaudit_evaluation.calibration.__main__ import run
from dropaudit_evaluation.calibration.alarms import Tally, count
from dropaudit_evaluation.calibration.specimens import (
    faulty_graphs,
    healthy_graphs,
    kind_trials,
    reference_trials,
    situation_trials,
    spelling_trials,
)
from dropaudit_evaluation.calibration.tables import markdown
from dropaudit_evaluation.calibration.trials import Trial, Verdicts, judged, trials_of_folder
from dropaudit_models.specimens import KINDS
from dropaudit_models.specimens.situations import Difficulty
from support.graphs import dense
from support.reports import finding, report_with


def test_healthy_models_have_no_false_finding() -> None:
    healthy = [trial for trial in healthy_graphs() + reference_trials() if trial.healthy]
    tallies = count(healthy, audits=1, processes=1)
    assert {name: tally.codes for name, tally in tallies.items() if tally.wrong or tally.missing} == {}


def test_every_faulty_model_is_found_down_to_5_percent_of_scale_and_2_points_of_rate() -> None:
    faulty = [trial for trial in faulty_graphs() + reference_trials() if not trial.healthy]
    tallies = count(faulty, audits=6, processes=1)
    assert {"scale 5 % too large", "keep rate 0.02 too small"} <= set(tallies)
    assert {name: tally.codes for name, tally in tallies.items() if tally.missing} == {}


def test_every_difficulty_has_a_healthy_situation_among_those_that_are_counted() -> None:
    trials = situation_trials()
    assert {trial.name for trial in trials} == {f"situation: {difficulty}" for difficulty in Difficulty}
    assert all(trial.healthy for trial in trials)


def test_only_healthy_spellings_on_any_data_are_counted() -> None:
    trials = spelling_trials(12)
    assert 0 < len(trials) < 12
    assert {(trial.name, trial.healthy) for trial in trials} == {("spelling", True)}


def trial(codes: frozenset[str] = frozenset(), allowed: frozenset[str] = frozenset()) -> Trial:
    return Trial(name="model", model=b"", codes=codes, allowed=allowed)


def test_what_is_neither_right_nor_information_is_false() -> None:
    report = report_with(*(finding(code, "drop") for code in ("DA301", "DA102", "DA203", "DA403", "DA305")))
    said = judged(trial(frozenset({"DA102", "DA202"}), frozenset({"DA305"})), report)
    assert said == Verdicts(
        false_errors=frozenset({"DA301"}),
        false_warnings=frozenset({"DA203"}),
        missed=frozenset({"DA202"}),
        undecided=False,
    )


def test_an_unmet_group_of_alternatives_is_missed_as_one() -> None:
    groups = (frozenset({"DA301", "DA303"}), frozenset({"DA201", "DA202"}))
    said = judged(Trial(name="model", model=b"", codes_any=groups), report_with(finding("DA303", "drop")))
    assert said == Verdicts(frozenset(), frozenset(), frozenset({"DA201 or DA202"}), undecided=False)


def test_kinds_come_at_settings_that_are_spread_over_theirs() -> None:
    trials = kind_trials(settings=2)
    assert {trial.name for trial in trials} == {kind.name for kind in KINDS}
    assert {trial.name for trial in trials if trial.healthy} == {kind.name for kind in KINDS if kind.healthy}
    inverted = [trial for trial in trials if trial.name == "inverted"]
    assert len({trial.model for trial in inverted}) == 2
    assert all(trial.healthy for trial in inverted)


def test_audits_of_a_name_are_spread_over_its_specimens_and_share_no_seed() -> None:
    small = Trial(name="twice", model=dense("y = Dropout(x, r, t)"))
    told: list[tuple[int, int]] = []
    once = Trial(name="once", model=small.model)
    tallies = count(
        [small, small, once], audits=3, processes=1, progress=lambda done, every: told.append((done, every))
    )
    assert {name: tally.audits for name, tally in tallies.items()} == {"twice": 4, "once": 3}
    assert told == [(2, 7), (4, 7), (7, 7)]


def test_an_undecided_audit_is_no_false_alarm() -> None:
    said = judged(trial(), report_with(finding("DA901", "y")))
    assert said == Verdicts(frozenset(), frozenset(), frozenset(), undecided=True)


def test_tallies_count_audits_and_not_findings() -> None:
    said = Verdicts(frozenset({"DA301", "DA303"}), frozenset({"DA203"}), frozenset({"DA102"}), undecided=False)
    tally = Tally(healthy=True).with_verdicts(said).with_verdicts(said)
    assert (tally.audits, tally.false_errors, tally.false_warnings, tally.wrong, tally.missing) == (2, 2, 2, 2, 2)
    assert tally.codes == {"+DA301": 2, "+DA303": 2, "+DA203": 2, "-DA102": 2}


def test_a_fault_among_the_healthy_is_an_alarm_in_every_audit() -> None:
    unscaled = Trial(
        name="sick", model=dense("u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)")
    )
    tally = count([unscaled], audits=3, processes=1)["sick"]
    assert (tally.audits, tally.false_errors) == (3, 3)
    assert tally.alarms.refutes_at_most(0.1)


def test_a_labelled_folder_gives_trials(tmp_path: Path) -> None:
    rows = [
        {"file": "a__1.onnx", "role": "train", "verdict": ["PASS", "WARN"], "not_codes": ["DA102"]},
        {"file": "b.onnx", "inference": "a__1.onnx", "verdict": ["FAIL"], "codes": ["DA301"], "keep_prob_in": 0.7},
        {"file": "c.onnx", "exit": 2, "error": "invalid-model"},
        {"file": "d.onnx", "role": "train", "verdict": ["WARN"], "codes": ["DA203", "DA102"]},
    ]
    for name in ("a__1.onnx", "b.onnx", "c.onnx", "d.onnx"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    healthy, faulty, stacked = trials_of_folder(tmp_path)
    assert not stacked.healthy
    assert "DA301" not in stacked.allowed
    assert (healthy.name, healthy.healthy, healthy.role, healthy.model) == ("a", True, Role.TRAIN, b"a__1.onnx")
    assert "DA203" in healthy.allowed
    assert "DA305" not in healthy.allowed
    assert "DA102" not in healthy.allowed
    assert (faulty.healthy, faulty.codes, faulty.allowed) == (False, frozenset({"DA301"}), frozenset(CATALOGUE))
    assert (faulty.inference, faulty.keep_prob) == (b"a__1.onnx", 0.7)


def test_the_page_shows_bounds_and_marks_what_is_above_its_level() -> None:
    def share(events: int) -> dict[str, object]:
        return {"events": events, "trials": 1000, "lower": events / 2000, "upper": events / 500}

    mean = {"elements": 10, "keepProb": 0.5, "alpha": 0.01, "schedule": "doubling", "falseDecisions": share(0)}
    alarm = {"name": "lstm", "audits": 1000, "falseErrors": 0, "falseWarnings": 1, "undecided": 2}
    page = markdown(
        {
            "keepRate": [
                {"keepProb": 0.5, "alpha": 0.01, "schedule": "every step", "misses": share(4), "exact": 0.0041}
            ],
            "mean": [mean | {"patient": False, "misses": share(30)}, mean | {"patient": True, "misses": share(2)}],
            "alarms": [
                alarm | {"healthy": True, "wrong": share(1), "missing": share(0), "codes": {"+DA203": 1}},
                alarm | {"healthy": False, "wrong": share(0), "missing": share(0), "codes": {}},
            ],
        }
    )
    assert "| 0.5 | 0.01 | every step | 1000 | 0.0040 [0.0020, 0.0080] | 0.00410 |" in page
    assert "| **0.0300** [0.0150, 0.0600] | 0.0000 [0.0000, 0.0000] | 0.0020 [0.0010, 0.0040] |" in page
    assert "| lstm | 1000 | 0 | 1 | 0.00200 | 0 | 2 | +DA203 1x |" in page
    assert "Of 1000 audits of healthy models 1 had a false finding" in page
    assert "which is consistent with the nominal level 0.001" in page


def test_one_part_is_measured_anew_and_the_others_are_kept(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"mean": []}')
    assert run(["--small", "--parts", "keepRate", "--processes", "1", "-o", str(tmp_path)]) == 0
    document = json.loads((tmp_path / "calibration.json").read_text())
    assert len(document["keepRate"]) == 54
    assert document["mean"] == []
    assert (tmp_path / "calibration.md").read_text().startswith("# How often the audit errs")


def test_a_folder_that_cannot_be_read_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--small", "--parts", "alarms", "--corpus", str(tmp_path), "-o", str(tmp_path)]) == 2
    assert "labels.json" in capsys.readouterr().err
