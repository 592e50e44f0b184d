"""Claims about findings of the two modes, on graphs whose sites are known and evidence made by hand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.judge.mode_findings import (
    freezes_in_one_mode,
    judge_frozen,
    judge_inference,
    judge_reference,
    judge_removed,
)
from dropaudit.measure.cases.reference import Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Severity
from support.made_evidence import evidence, model, operators, parsed, prepared, reference

RATES = "float r = {0.25}, float p = {0.5}, bool t = {1}, bool off = {0}"
MASK = "float[16] m = {" + ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2)) + "}"
TWO = parsed(f"<{RATES}> {{ d = Dropout(x, r, t)  h = Neg(d)  e = Dropout(h, p, t)  y = Neg(e) }}")
ONE_DEAD = parsed(f"<{RATES}> {{ d = Dropout(x, r, t)  h = Neg(x)  e = Dropout(h, p, t)  y = Neg(e) }}")
PLAIN = parsed("{ y = Neg(x) }")
FROZEN = parsed(f"<{MASK}> {{ y = Mul(x, m) }}")


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in findings]


def test_a_frozen_mask_is_told_in_every_role() -> None:
    for role in Role:
        (found,) = judge_frozen(model(FROZEN, role))
        assert (found.code, found.subject, found.evidence) == ("DA401", "Mul_0", {"mask": "m"})
    assert judge_frozen(model(TWO)) == []


def test_what_drops_at_inference_is_one_finding_with_its_sites() -> None:
    (found,) = judge_inference(model(TWO, Role.INFERENCE))
    assert told([found]) == [("DA103", "Dropout_0")]
    assert found.evidence == {
        "declaredKeepProb": 0.75,
        "implementation": "DROPOUT_OP",
        "sites": ["Dropout_0", "Dropout_1"],
    }
    assert "drop rate 0.25, 0.5, always on; expected no active site, found 2" in found.message


def test_a_site_that_reaches_nothing_or_is_a_constant_does_not_drop_at_inference() -> None:
    (found,) = judge_inference(model(ONE_DEAD, Role.INFERENCE))
    assert found.evidence["sites"] == ["Dropout_1"]
    assert judge_inference(model(FROZEN, Role.INFERENCE)) == []


@pytest.mark.parametrize(
    ("role", "plain", "codes"),
    [
        (Role.TRAIN, TWO, [("DA103", "Dropout_0")]),
        (Role.AUTO, TWO, []),
        (Role.TRAIN, PLAIN, []),
        (Role.TRAIN, parsed(f"<{RATES}> {{ y = Dropout(x, r, off) }}"), []),
        (Role.TRAIN, FROZEN, []),
        (Role.TRAIN, parsed(f"<{RATES}> {{ e = Neg(x)  d = Dropout(e, r, t)  y = Neg(x) }}"), []),
    ],
    ids=["drops", "role auto", "plain", "off", "frozen", "dead"],
)
def test_a_branch_that_inference_takes_may_not_drop(
    role: Role, plain: onnx.ModelProto, codes: list[tuple[str, str]]
) -> None:
    assert told(judge_inference(model(PLAIN, role, plain=plain))) == codes


def test_a_site_that_both_branches_hold_is_one_that_training_knows() -> None:
    other = onnx.ModelProto()
    other.CopyFrom(TWO)
    assert judge_inference(model(TWO, Role.TRAIN, plain=other)) == []


def test_a_site_that_a_caller_can_switch_off_is_not_active_at_inference() -> None:
    by_input = parsed(f"<{RATES}> {{ y = Dropout(x, r, on) }}", "float[N,16] x, bool on")
    assert judge_inference(model(PLAIN, Role.TRAIN, plain=by_input)) == []
    computed = parsed(f"<{RATES}> {{ s = Not(on)  y = Dropout(x, r, s) }}", "float[N,16] x, bool on")
    (found,) = judge_inference(model(PLAIN, Role.TRAIN, plain=computed))
    assert "switched on by a tensor computed in the graph" in found.message


def test_a_mask_that_is_frozen_in_one_mode_alone_is_known() -> None:
    assert not freezes_in_one_mode(model(FROZEN))
    assert not freezes_in_one_mode(model(TWO, plain=PLAIN))
    assert freezes_in_one_mode(model(FROZEN, plain=PLAIN))
    assert freezes_in_one_mode(model(PLAIN, plain=FROZEN))


@pytest.mark.parametrize(
    ("role", "surviving", "removed", "severity"),
    [
        (Role.TRAIN, (), ["Dropout_0", "Dropout_1"], Severity.WARNING),
        (Role.AUTO, (), ["Dropout_0", "Dropout_1"], Severity.INFO),
        (Role.TRAIN, ("Dropout_0",), ["Dropout_1"], Severity.WARNING),
        (Role.TRAIN, ("Dropout_0", "Dropout_1"), [], None),
    ],
)
def test_operators_that_a_default_session_deletes_are_one_finding(
    role: Role, surviving: tuple[str, ...], removed: list[str], severity: Severity | None
) -> None:
    found = judge_removed(model(TWO, role, surviving=surviving))
    assert [(each.subject, each.severity) for each in found] == ([(removed[0], severity)] if removed else [])
    assert all(each.evidence == {"removed": removed, "activeSites": 2} for each in found)


def test_a_dead_operator_or_a_chain_is_not_called_removed() -> None:
    (found,) = judge_removed(model(ONE_DEAD))
    assert found.evidence["removed"] == ["Dropout_1"]
    chain = "u = RandomUniformLike(x)  b = Less(u, p)  m = Cast<to = 1>(b)  y = Mul(x, m)"
    assert judge_removed(model(parsed(f"<{RATES}> {{ {chain} }}"))) == []


def at_inference(known: Reference, role: Role = Role.INFERENCE, *, pair: bool = False) -> list[tuple[str, str]]:
    inference = model(PLAIN, Role.INFERENCE) if pair else None
    return told(judge_reference(evidence(model(TWO, role), prepared(), inference=inference).case, known))


UNSTABLE = reference(unstable=("z", "y"))
DRAWN = reference(served_other=operators("noise"))


def test_outputs_at_inference_that_are_not_finite_are_counted() -> None:
    values = {"y": np.array([1.0, np.nan, np.inf]), "z": np.array([1.0])}
    (found,) = judge_reference(evidence(model(TWO), prepared()).case, reference(values))
    assert (found.code, found.subject) == ("DA501", "y")
    assert found.evidence == {"mode": "inference", "nonFinite": 2}
    assert found.message == "2 values of the inference output are NaN or infinite; all should be finite."


def test_one_value_that_is_not_finite_is_said_in_the_singular() -> None:
    (found,) = judge_reference(evidence(model(TWO), prepared()).case, reference({"y": np.array([np.inf])}))
    assert found.message.startswith("1 value of the inference output is NaN or infinite;")


def test_randomness_at_inference_is_told_of_what_is_served() -> None:
    assert at_inference(DRAWN) == [("DA104", "noise")]
    assert at_inference(UNSTABLE) == [("DA104", "y")]
    assert at_inference(DRAWN, Role.TRAIN, pair=True) == [("DA104", "noise")]
    assert at_inference(reference()) == []


def test_randomness_at_inference_is_a_warning_where_runs_agree() -> None:
    case = evidence(model(TWO, Role.INFERENCE), prepared()).case
    assert [each.severity for each in judge_reference(case, DRAWN)] == [Severity.WARNING]
    drawn = reference(unstable=("y",), served_other=operators("noise", outputs=("z",)))
    (found,) = judge_reference(case, drawn)
    assert (found.severity, found.evidence) == (Severity.ERROR, {"nodes": ["noise"], "outputs": ["y", "z"]})


def test_train_modes_that_differ_without_a_reason_are_undecided_output_by_output() -> None:
    for role in (Role.TRAIN, Role.AUTO):
        assert at_inference(UNSTABLE, role) == [("DA901", "y"), ("DA901", "z")]
    assert at_inference(reference(unstable=("y",), other=operators("noise")), Role.TRAIN) == []
