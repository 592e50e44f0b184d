"""Claims about audits of artifacts and pairs."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, PairSubject, Plan, Report, Role, audit
from dropaudit.errors import AuditCancelled, InvalidModel, InvalidTensor, ProviderUnavailable
from dropaudit.plan import Phase, Progress, Provider
from dropaudit.report import Family, Severity, Site, Stop, Verdict
from dropaudit.runtime.provider import cuda_device
from dropaudit_models import ReferenceModel, reference_models
from support.graphs import CHAIN, dense, model

PLAN = Plan(provider=Provider.CPU)


def report_of(content: bytes, role: Role = Role.TRAIN, plan: Plan = PLAN) -> Report:
    return audit(ArtifactSubject(content, role), plan)


def codes(report: Report) -> set[str]:
    """Findings about the model: DA405 is about the runtime, and stands in every report on a Dropout operator."""
    return {finding.code for finding in report.findings} - {"DA405"}


def errors(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity is Severity.ERROR}


def only_site(report: Report) -> Site:
    (site,) = report.sites
    return site


@pytest.mark.parametrize("reference", reference_models(), ids=lambda reference: reference.name)
def test_the_reference_models_get_their_declared_answers(reference: ReferenceModel) -> None:
    report = report_of(reference.build().SerializeToString(), reference.role)
    assert codes(report) == reference.findings
    assert report.verdict is (Verdict.FAIL if reference.findings else Verdict.PASS)


def test_a_healthy_site_is_measured_with_intervals_around_the_truth() -> None:
    report = report_of(dense("h = Relu(x)  y = Dropout(h, r, t)"))
    site = only_site(report)
    assert report.verdict is Verdict.PASS
    assert site.family is Family.INVERTED
    assert site.keep_prob is not None
    assert not site.keep_prob.excludes(0.7)
    assert site.keep_prob.upper - site.keep_prob.lower <= 0.01
    assert site.scale is not None
    assert site.scale.min == pytest.approx(1 / 0.7, rel=1e-6)
    assert site.scale.max == pytest.approx(1 / 0.7, rel=1e-6)
    factor = report.outputs[0].scale_factor
    assert factor is not None
    assert not factor.excludes(1.0)
    assert report.execution.stopped is Stop.DECIDED
    assert report.execution.sampling == "tiled"


SCALES = {
    "DA301": f"{CHAIN}  y = Mul(x, m)",
    "DA302": f"{CHAIN}  a = Div(m, q)  c = Div(a, q)  y = Mul(x, c)",
    "DA202": f"{CHAIN}  d = Div(m, d3)  y = Mul(x, d)",
    "DA303": f"{CHAIN}  d = Mul(m, c15)  y = Mul(x, d)",
}


@pytest.mark.parametrize("code", SCALES)
def test_each_fault_of_the_scale_is_found_and_its_healthy_twin_is_not(code: str) -> None:
    extra = ", float d3 = {0.3}, float c15 = {1.5}"
    faulty = report_of(dense(SCALES[code].format(x="x"), extra=extra))
    assert code in errors(faulty)
    assert faulty.verdict is Verdict.FAIL
    healthy = report_of(dense(f"{CHAIN.format(x='x')}  d = Div(m, q)  y = Mul(x, d)"))
    assert codes(healthy) == set()


def test_a_scale_error_of_five_percent_is_found() -> None:
    off = 1.05 / 0.7
    report = report_of(dense(f"{CHAIN.format(x='x')}  d = Mul(m, c)  y = Mul(x, d)", extra=f", float c = {{{off}}}"))
    assert "DA303" in errors(report)


@pytest.mark.parametrize("keep_prob", [0.68, 0.72])
def test_a_rate_error_of_two_hundredths_is_found(keep_prob: float) -> None:
    subject = ArtifactSubject(dense("y = Dropout(x, r, t)"), Role.TRAIN, keep_prob=keep_prob)
    assert "DA201" in errors(audit(subject, PLAN))


def test_a_declared_drop_rate_in_place_of_the_keep_probability_is_swapped() -> None:
    subject = ArtifactSubject(dense("y = Dropout(x, r, t)"), Role.TRAIN, keep_prob=0.3)
    assert "DA202" in errors(audit(subject, PLAN))


def test_interior_dropout_is_measured_and_its_removal_reported() -> None:
    """A default session would hide it: the audit's own does not."""
    report = report_of(dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)"))
    assert codes(report) == {"DA102"}
    assert report.verdict is Verdict.WARN
    site = only_site(report)
    assert site.active_in_default_session is False
    assert site.keep_prob is not None
    assert not site.keep_prob.excludes(0.7)


def test_dropout_that_a_default_session_keeps_is_not_reported_as_removed() -> None:
    report = report_of(dense("h = Relu(x)  y = Dropout(h, r, t)"))
    assert only_site(report).active_in_default_session is True


def test_partial_removal_names_the_sites_that_are_gone() -> None:
    report = report_of(
        dense("d = Dropout(x, r, t)  h = Relu(d)  e = Dropout(h, r, t)  z = Neg(e)  y = Dropout(z, r, t)")
    )
    removed = [finding.subject for finding in report.findings if finding.code == "DA102"]
    gone = [site.name for site in report.sites if site.active_in_default_session is False]
    assert removed == gone
    assert 0 < len(removed) < 3


def test_a_mean_shift_behind_linear_operators_is_an_error_and_behind_others_a_number() -> None:
    unscaled = CHAIN.format(x="x") + "  d = Mul(x, m)"
    linear, bent = report_of(dense(f"{unscaled}  y = Neg(d)")), report_of(dense("d = Dropout(x, r, t)  y = Exp(d)"))
    (shift,) = (finding for finding in linear.findings if finding.code == "DA305")
    assert shift.severity is Severity.ERROR
    assert linear.outputs[0].linear is True
    (gap,) = (finding for finding in bent.findings if finding.code == "DA305")
    assert gap.severity is Severity.INFO
    assert (errors(bent), bent.verdict) == (set(), Verdict.PASS)


@pytest.mark.parametrize(("role", "verdict"), [(Role.AUTO, Verdict.WARN), (Role.TRAIN, Verdict.FAIL)])
def test_no_sites_is_a_warning_and_in_training_an_error(role: Role, verdict: Verdict) -> None:
    report = report_of(dense("y = Relu(x)"), role)
    assert codes(report) == {"DA105"}
    assert report.verdict is verdict


def test_no_sites_is_right_at_inference() -> None:
    assert report_of(dense("y = Relu(x)"), Role.INFERENCE).verdict is Verdict.PASS


@pytest.mark.parametrize("body", ["y = Dropout(x, r, t)", f"{CHAIN.format(x='x')}  d = Div(m, q)  y = Mul(x, d)"])
def test_dropout_that_is_on_at_inference_is_an_error(body: str) -> None:
    report = report_of(dense(body), Role.INFERENCE)
    assert errors(report) == {"DA103"}


SWITCHED = "g (float[N,16] x, bool t{default}) => (float[N,16] y) <float r = {{0.3}}> {{ y = Dropout(x, r, t) }}"


def test_a_switch_is_fed_true_in_training_and_false_at_inference() -> None:
    content = model(SWITCHED.format(default=""))
    assert report_of(content, Role.TRAIN).verdict is Verdict.PASS
    assert only_site(report_of(content, Role.TRAIN)).keep_prob is not None
    assert report_of(content, Role.INFERENCE).verdict is Verdict.PASS


def test_a_default_is_overridden_in_training_and_left_at_inference() -> None:
    on, off = model(SWITCHED.format(default=" = {1}")), model(SWITCHED.format(default=" = {0}"))
    assert report_of(off, Role.TRAIN).verdict is Verdict.PASS
    assert errors(report_of(on, Role.INFERENCE)) == {"DA103"}
    assert report_of(off, Role.INFERENCE).verdict is Verdict.PASS


def test_dropout_that_cannot_be_switched_on_is_inert_in_training_and_no_site_otherwise() -> None:
    content = model("g (float[N,16] x) => (float[N,16] y) <float r = {0.3}, bool t = {0}> { y = Dropout(x, r, t) }")
    assert errors(report_of(content, Role.TRAIN)) == {"DA101"}
    assert codes(report_of(content, Role.AUTO)) == {"DA105"}
    assert report_of(content, Role.INFERENCE).verdict is Verdict.PASS


def test_a_drop_rate_that_is_an_input_is_fed_one_half() -> None:
    content = model("g (float[N,16] x, float r) => (float[N,16] y) <bool t = {1}> { y = Dropout(x, r, t) }")
    site = only_site(report_of(content))
    assert site.keep_prob is not None
    assert not site.keep_prob.excludes(0.5)


def test_stacked_sites_are_reported() -> None:
    report = report_of(dense("d = Dropout(x, r, t)  i = Identity(d)  y = Dropout(i, r, t)"))
    assert "DA203" in codes(report)
    assert errors(report) == set()


def test_noise_at_inference_is_not_reproducible() -> None:
    report = report_of(dense("n = RandomNormalLike(x)  y = Add(x, n)"), Role.INFERENCE)
    assert errors(report) == {"DA104"}


def test_nan_in_an_output_is_an_error() -> None:
    report = report_of(dense("l = Log(x)  y = Dropout(l, r, t)"))
    assert "DA501" in errors(report)


def test_a_frozen_mask_is_an_error_in_every_role() -> None:
    mask = ", ".join("2.0" if keep else "0.0" for keep in np.random.default_rng(0).random(16) < 0.5)
    content = dense("y = Mul(x, w)", extra=f", float[16] w = {{{mask}}}")
    for role in Role:
        assert "DA401" in errors(report_of(content, role))


PAIR = (
    "g (float[N,16] x) => (float[N,16] y) "
    "<float r = {{0.3}}, bool t = {{1}}, float q = {{0.7}}, float f = {{{f}}}> {{ {body} }}"
)
INVERTED = "y = Dropout(x, r, t)"
UNSCALED = f"{CHAIN.format(x='x')}  y = Mul(x, m)"


@pytest.mark.parametrize(
    ("body", "factor", "expected"),
    [
        (INVERTED, 1.0, set()),
        (UNSCALED, 0.7, {"DA304"}),
        (UNSCALED, 1.0, {"DA301", "DA305"}),
        (INVERTED, 0.7, {"DA302", "DA305"}),
        (INVERTED, 1 / 0.7, {"DA302", "DA305"}),
        (INVERTED, 1.3, {"DA303", "DA305"}),
    ],
)
def test_a_pair_is_judged_by_what_inference_makes_up_for(body: str, factor: float, expected: set[str]) -> None:
    train, inference = model(PAIR.format(f=1.0, body=body)), model(PAIR.format(f=factor, body="y = Mul(x, f)"))
    report = audit(PairSubject(train, inference), PLAN)
    assert codes(report) == expected
    assert len(report.execution.artifacts) == 2


def test_dropout_in_the_inference_artifact_of_a_pair_is_an_error() -> None:
    content = dense("y = Dropout(x, r, t)")
    assert "DA103" in errors(audit(PairSubject(content, content), PLAN))


def test_a_pair_of_different_functions_is_a_deterministic_gap() -> None:
    report = audit(PairSubject(dense("y = Dropout(x, r, t)"), dense("y = Relu(x)")), PLAN)
    assert "DA502" in codes(report)


def test_a_pair_that_does_not_match_is_refused() -> None:
    with pytest.raises(InvalidTensor, match="shape"):
        audit(PairSubject(dense("y = Dropout(x, r, t)"), dense("y = Relu(x)", columns=8)), PLAN)


def test_one_seed_gives_one_report_and_another_seed_other_numbers() -> None:
    content = dense("d = Dropout(x, r, t)  y = Neg(d)")
    first, second, other = (report_of(content, plan=Plan(seed=seed, provider=Provider.CPU)) for seed in (5, 5, 6))
    assert (first.sites, first.outputs, first.findings) == (second.sites, second.outputs, second.findings)
    assert first.sites != other.sites


def test_progress_is_told_and_ends_with_judging() -> None:
    told: list[Progress] = []
    audit(ArtifactSubject(dense("y = Dropout(x, r, t)"), Role.TRAIN), PLAN, progress=told.append)
    assert [told[0].phase, told[-1].phase] == [Phase.PREPARING, Phase.JUDGING]
    sampled = [state.replicates for state in told if state.phase is Phase.SAMPLING]
    assert sampled == sorted(sampled)
    assert told[-1].decided_tests == told[-1].total_tests == 2


def test_a_cancelled_audit_stops_after_the_chunk() -> None:
    subject = ArtifactSubject(dense("y = Dropout(x, r, t)", columns=1), Role.TRAIN)
    with pytest.raises(AuditCancelled):
        audit(subject, PLAN, cancelled=lambda: True)


def test_too_few_replicates_are_inconclusive_and_say_how_many_more() -> None:
    report = report_of(dense("y = Dropout(x, r, t)", columns=2), plan=Plan(max_replicates=64, provider=Provider.CPU))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.execution.stopped is Stop.EXHAUSTED
    undecided = [finding for finding in report.findings if finding.code == "DA901"]
    assert undecided
    assert all("times as many replicates" in finding.remedy for finding in undecided)


def test_given_inputs_are_used_and_checked() -> None:
    content = dense("y = Dropout(x, r, t)")
    x = np.ones((3, 16), dtype=np.float32)
    report = audit(ArtifactSubject(content, Role.TRAIN, {"x": x}), PLAN)
    (used,) = report.execution.inputs
    assert (used.shape, used.synthesized) == ((3, 16), False)
    with pytest.raises(InvalidTensor, match="no input 'z'"):
        audit(ArtifactSubject(content, Role.TRAIN, {"z": x}), PLAN)
    with pytest.raises(InvalidTensor, match="wants shape"):
        audit(ArtifactSubject(content, Role.TRAIN, {"x": x[:, :3]}), PLAN)
    with pytest.raises(InvalidTensor, match="wants float32"):
        audit(ArtifactSubject(content, Role.TRAIN, {"x": x.astype(int)}), PLAN)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", b"\x00" * 100, model("g (float[N,4] x) => (float[N,4] y) { y = Nonsense(x) }")],
    ids=["empty", "text", "zeros", "unknown operator"],
)
def test_what_is_no_model_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(InvalidModel) as caught:
        report_of(content)
    assert "\n" not in caught.value.message


@pytest.mark.skipif(cuda_device() is not None, reason="a CUDA device answers here")
def test_cuda_without_a_device_is_refused() -> None:
    with pytest.raises(ProviderUnavailable, match="no CUDA device"):
        report_of(dense("y = Dropout(x, r, t)"), plan=Plan(provider=Provider.CUDA))


def test_a_refusal_of_the_runtime_names_the_node_and_not_its_tensors() -> None:
    with pytest.raises(InvalidModel, match=r"node 'Nonsense_0': No Op registered for Nonsense"):
        report_of(model("g (float[N,4] x) => (float[N,4] y) { y = Nonsense(x) }"))
