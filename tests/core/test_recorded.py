"""Claims about audits of recorded outputs."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import Plan, RecordedSubject, Report, audit
from dropaudit.errors import InvalidArgument, InvalidTensor
from dropaudit.report import Family, Severity, Stop, Verdict
from dropaudit.subjects import Array
from dropaudit_models.seed_case import seed_case

SHAPE = (40, 25)


def inference(seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)


def mask(keep_prob: float, seed: int = 1) -> Array:
    return (np.random.default_rng(seed).random(SHAPE) < keep_prob).astype(np.float32)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_the_seed_case_is_inverted_dropout_and_no_bug() -> None:
    report = audit(seed_case())
    site = report.sites[0]
    assert report.verdict is Verdict.PASS
    assert report.findings == ()
    assert site.family is Family.INVERTED
    assert site.keep_prob is not None
    assert site.keep_prob.estimate == pytest.approx(0.46)
    assert not site.keep_prob.excludes(0.5)
    assert site.scale is not None
    assert site.scale.median == pytest.approx(2.0, abs=1e-6)
    assert "section 10" in report.summary
    assert report.execution.stopped is Stop.EXHAUSTED


def test_the_keep_probability_is_read_off_the_scale_when_none_is_declared() -> None:
    declared = seed_case()
    report = audit(RecordedSubject(declared.inference, declared.train))
    assert report.verdict is Verdict.PASS
    assert report.sites[0].declared_keep_prob is None
    assert "keep probability 0.5" in report.summary


def test_a_wrong_declaration_fails_and_says_what_the_numbers_fit() -> None:
    declared = seed_case()
    report = audit(RecordedSubject(declared.inference, declared.train, keep_prob=0.8))
    assert report.verdict is Verdict.FAIL
    assert codes(report) == {"DA201", "DA303"}
    assert "keep probability 0.5" in report.summary


@pytest.mark.parametrize("keep_prob", [0.2, 0.3, 0.7])
def test_faults_of_the_scale_are_named(keep_prob: float) -> None:
    y, m = inference(), mask(keep_prob)
    faults = {"DA301": 1.0, "DA302": 1 / keep_prob**2, "DA202": 1 / (1 - keep_prob), "DA303": 1.05 / keep_prob}
    for code, factor in faults.items():
        report = audit(RecordedSubject(y, (y * m * np.float32(factor),), keep_prob))
        assert codes(report) == {code}, code
        assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize("keep_prob", [0.2, 0.3, 0.5, 0.7, 0.95])
def test_inverted_dropout_passes_at_every_rate(keep_prob: float) -> None:
    y = inference()
    train = tuple(y * mask(keep_prob, seed) / np.float32(keep_prob) for seed in range(3))
    for declared in (keep_prob, None):
        assert audit(RecordedSubject(y, train, declared)).findings == ()


def test_exchanged_keep_and_drop_is_one_finding_about_the_rate_and_one_about_the_scale() -> None:
    y = inference()
    report = audit(RecordedSubject(y, (y * mask(0.2) / np.float32(0.2),), keep_prob=0.8))
    assert "DA202" in codes(report)


def test_equal_train_outputs_are_a_frozen_mask() -> None:
    y = inference()
    train = y * mask(0.5) * 2
    report = audit(RecordedSubject(y, (train, train.copy()), keep_prob=0.5))
    assert codes(report) == {"DA401"}


def test_one_train_output_is_no_frozen_mask() -> None:
    y = inference()
    assert "DA401" not in codes(audit(RecordedSubject(y, (y * mask(0.5) * 2,))))


def test_nothing_dropped_is_inert_where_dropout_was_declared() -> None:
    y = inference()
    assert codes(audit(RecordedSubject(y, (y,), keep_prob=0.5))) == {"DA101"}
    report = audit(RecordedSubject(y, (y,)))
    assert codes(report) == {"DA105"}
    assert report.verdict is Verdict.WARN


def test_a_tensor_behind_other_operators_is_undecided() -> None:
    y = inference()
    assert audit(RecordedSubject(y, (np.tanh(y) + 1,))).verdict is Verdict.INCONCLUSIVE


def test_survivors_of_other_weights_fail() -> None:
    report = audit(RecordedSubject(inference(0), (inference(5) * mask(0.5) * 2,), keep_prob=0.5))
    assert codes(report) == {"DA303"}


def test_all_dropped_is_undecided() -> None:
    y = inference()
    assert audit(RecordedSubject(y, (np.zeros_like(y),))).verdict is Verdict.INCONCLUSIVE


def test_a_nan_is_an_error() -> None:
    y = inference()
    broken = y * mask(0.5) * 2
    broken[0, 0] = np.nan
    report = audit(RecordedSubject(y, (broken,), keep_prob=0.5))
    assert "DA501" in codes(report)
    assert report.findings[0].severity is Severity.ERROR


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["train", "inference", "both"])
def test_recordings_that_are_not_finite_are_said_to_be_and_not_judged(value: float, where: str) -> None:
    y, train = inference(), inference() * mask(0.5) * 2
    for array in {"train": (train,), "inference": (y,), "both": (y, train)}[where]:
        array[3, 4] = value
    report = audit(RecordedSubject(y, (train, train)))
    assert codes(report) == {"DA501"}
    assert report.verdict is Verdict.FAIL
    assert report.summary.startswith(
        "Nothing was judged. 1 value of the inference output is NaN" if where == "inference" else "Nothing was judged."
    )
    (site,) = report.sites
    assert (site.keep_prob, site.scale, site.family) == (None, None, Family.OTHER)
    assert audit(RecordedSubject(y, (train, train), 0.5)).sites[0].declared_keep_prob == 0.5


def test_recordings_without_a_finite_number_are_not_judged() -> None:
    y = np.full(SHAPE, np.nan, dtype=np.float32)
    assert codes(audit(RecordedSubject(y, (y,)))) == {"DA501"}


def test_sixty_four_train_outputs_have_a_scale_factor() -> None:
    y = inference()
    train = tuple(y * mask(0.5, seed) * 2 for seed in range(64))
    factor = audit(RecordedSubject(y, train, 0.5)).outputs[0].scale_factor
    assert factor is not None
    assert not factor.excludes(1.0)
    assert audit(RecordedSubject(y, train[:2], 0.5)).outputs[0].scale_factor is None


def test_one_seed_gives_one_report() -> None:
    first, second = audit(seed_case(), Plan(seed=3)), audit(seed_case(), Plan(seed=3))
    assert first.sites == second.sites
    assert first.summary == second.summary


def test_arrays_that_do_not_fit_are_refused() -> None:
    y = inference()
    with pytest.raises(InvalidTensor, match="has shape"):
        audit(RecordedSubject(y, (y[:3],)))
    with pytest.raises(InvalidTensor, match="int64"):
        audit(RecordedSubject(np.arange(3), (np.arange(3),)))
    with pytest.raises(InvalidTensor, match="empty"):
        audit(RecordedSubject(np.zeros((0, 2)), (np.zeros((0, 2)),)))


@pytest.mark.parametrize("keep_prob", [0.0, -0.1, 1.5, float("nan")])
def test_a_keep_probability_out_of_range_is_refused(keep_prob: float) -> None:
    y = inference()
    with pytest.raises(InvalidArgument, match="keep probability"):
        RecordedSubject(y, (y,), keep_prob)
