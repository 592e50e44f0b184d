"""Claims about what a report says of sites that cannot drop, that reach nothing, and of other randomness."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Finding, Severity, Verdict
from support.graphs import CHAIN, dense, model

PLAN = Plan(provider=Provider.CPU)
EXTRA = f", bool off = {{0}}, float two = {{2.0}}, float[1024] ones = {{{', '.join(['1.0'] * 1024)}}}"


SIX = ", float six = {6.0}, float one = {1.0}"


def report_of(body: str, role: Role = Role.TRAIN) -> Report:
    return audit(ArtifactSubject(dense(body, extra=EXTRA), role), PLAN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def only(report: Report, code: str) -> Finding:
    (found,) = (finding for finding in report.findings if finding.code == code)
    return found


SCALED = f"{CHAIN.format(x='x')}  s = Div(m, q)"


def test_several_sites_that_never_drop_are_one_finding_with_their_list() -> None:
    found = only(report_of("d = Dropout(x, r, off)  h = Neg(d)  e = Dropout(h, r, off)  y = Neg(e)"), "DA101")
    assert found.severity is Severity.ERROR
    assert found.evidence["sites"] == ["Dropout_0", "Dropout_1"]
    assert "2 sites" in found.message
    assert "drop rate 0.3" in found.message


def test_a_threshold_that_always_keeps_and_a_factor_all_the_same_is_inert() -> None:
    always = "u = RandomUniformLike(x)  b = Less(u, two)  m = Cast<to = 1>(b)"
    report = report_of(f"{always}  s = Div(m, q)  y = Mul(x, s)")
    assert report.verdict is Verdict.FAIL
    assert "DA101" in codes(report)
    assert not codes(report) & {"DA105", "DA106"}


def test_a_threshold_that_always_keeps_and_scales_nothing_is_no_dropout_at_all() -> None:
    report = report_of("u = RandomUniformLike(x)  b = Less(u, two)  m = Cast<to = 1>(b)  y = Mul(x, m)")
    assert report.verdict is Verdict.FAIL
    assert codes(report) & {"DA101", "DA105"}


@pytest.mark.parametrize(
    "dead",
    ["e = Dropout(x, r, t)", "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  e = Mul(x, m)"],
    ids=["operator", "chain"],
)
def test_a_site_that_reaches_no_output_is_told_and_is_no_fault(dead: str) -> None:
    report = report_of(f"d = Dropout(x, r, t)  y = Neg(d)  {dead}")
    found = only(report, "DA107")
    assert found.severity is Severity.INFO
    assert len(found.evidence["sites"]) == 1
    assert not codes(report) & {"DA101", "DA105", "DA301", "DA901"}
    assert report.verdict is Verdict.PASS


def test_several_dead_sites_are_one_finding() -> None:
    report = report_of("d = Dropout(x, r, t)  y = Neg(d)  e = Dropout(d, r, t)  h = Relu(x)  k = Dropout(h, r, t)")
    assert len(only(report, "DA107").evidence["sites"]) == 2


def test_where_every_site_is_dead_nothing_random_reaches_an_output() -> None:
    report = report_of("e = Dropout(x, r, t)  y = Relu(x)")
    assert {"DA105", "DA107"} <= codes(report)
    assert "DA101" not in codes(report)
    assert report.verdict is Verdict.FAIL
    assert "reaches no output" in only(report, "DA105").message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("y = Dropout(x, zero, t)", "'Dropout_0' has drop rate 0"),
        ("y = Dropout(x, zero, off)", "'Dropout_0' has drop rate 0"),
    ],
)
def test_dropout_that_does_nothing_is_named_with_the_reason(body: str, reason: str) -> None:
    assert reason in only(report_of(body), "DA105").message


def test_in_role_auto_dropout_without_a_train_mode_is_named() -> None:
    report = report_of("y = Dropout(x, r, off)", Role.AUTO)
    found = only(report, "DA105")
    assert found.severity is Severity.WARNING
    assert "has no train mode" in found.message
    assert "DA101" not in codes(report)


@pytest.mark.parametrize("role", [Role.TRAIN, Role.AUTO])
@pytest.mark.parametrize(
    "body",
    [
        "u = RandomNormalLike(x)  y = Add(x, u)",
        "u = RandomUniformLike(x)  y = Mul(x, u)",
        "u = RandomUniformLike(x)  b = Less(u, q)  y = Where(b, x, two)",
    ],
)
def test_randomness_that_is_no_dropout_is_named_in_place_of_none(role: Role, body: str) -> None:
    report = report_of(body, role)
    found = only(report, "DA106")
    assert found.evidence["outputs"] == ["y"]
    assert len(found.evidence["nodes"]) == 1
    assert "DA105" not in codes(report)
    assert report.verdict is Verdict.WARN


def test_noise_that_reaches_one_output_leaves_the_other_to_be_judged() -> None:
    content = model(
        "g (float[64,16] x) => (float[64,16] y, float[64,16] z) <float r = {0.3}, bool t = {1}>"
        "{ d = Dropout(x, r, t)  y = Neg(d)  n = RandomNormalLike(d)  z = Add(d, n) }"
    )
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert only(report, "DA106").evidence["outputs"] == ["z"]
    assert not codes(report) & {"DA305", "DA901"}
    factors = {output.name: output.scale_factor for output in report.outputs}
    assert factors["y"] is not None
    assert not factors["y"].excludes(1.0)


def test_noise_whose_shape_alone_is_read_is_none() -> None:
    report = report_of("n = RandomNormalLike(x)  s = Shape(n)  e = Expand(two, s)  d = Dropout(x, r, t)  y = Mul(d, e)")
    assert "DA106" not in codes(report)


def test_at_inference_presence_is_not_judged() -> None:
    assert codes(report_of("y = Dropout(x, r, off)", Role.INFERENCE)) == set()


@pytest.mark.parametrize("name", ["dead relu", "zero input"])
def test_a_site_that_sees_zeros_alone_is_not_said_to_be_right(name: str) -> None:
    body = {
        "dead relu": f"a = Abs(x)  n = Neg(a)  h = Relu(n)  {CHAIN.format(x='h')}  d = Mul(h, m)  y = Add(d, x)",
        "zero input": f"{SCALED}  y = Mul(x, s)",
    }[name]
    inputs = {"x": np.zeros((8, 16), dtype=np.float32)} if name == "zero input" else None
    report = audit(ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN, inputs), PLAN)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "DA901" in codes(report)
    assert "scaled right" not in report.summary


def test_what_the_runtime_removes_is_one_finding_and_in_role_auto_no_warning() -> None:
    body = "h = Relu(x)  d = Dropout(h, r, t)  k = Neg(d)  e = Dropout(k, r, t)  y = Neg(e)"
    found = {role: only(report_of(body, role), "DA102") for role in (Role.TRAIN, Role.AUTO)}
    assert found[Role.TRAIN].severity is Severity.WARNING
    assert found[Role.AUTO].severity is Severity.INFO
    assert all(finding.evidence["removed"] == ["Dropout_0", "Dropout_1"] for finding in found.values())


def test_what_still_drops_at_inference_is_one_finding() -> None:
    body = "h = Relu(x)  d = Dropout(h, r, t)  k = Neg(d)  e = Dropout(k, r, t)  y = Neg(e)"
    assert only(report_of(body, Role.INFERENCE), "DA103").evidence["sites"] == ["Dropout_0", "Dropout_1"]


BERNOULLI = "n = Shape(x)  a = Expand({0}, n)  m = Bernoulli(a)  s = Div(m, q)  y = Mul(x, s)"


@pytest.mark.parametrize(("chance", "verdict"), [("q", Verdict.FAIL), ("p", Verdict.PASS)])
def test_bernoulli_is_judged_as_run_and_the_standard_noted(chance: str, verdict: Verdict) -> None:
    content = dense(BERNOULLI.format(chance), extra=", float p = {0.3}")
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert only(report, "DA408").severity is Severity.INFO
    assert ("DA202" in codes(report)) == (verdict is Verdict.FAIL)
    assert report.verdict is verdict


@pytest.mark.parametrize(
    ("scale", "code"), [("s = Div(m, q)  t2 = Div(s, q)  y = Mul(x, t2)", "DA302"), ("y = Mul(x, m)", "DA301")]
)
@pytest.mark.parametrize("before", [False, True])
def test_a_scale_beside_bernoulli_goes_with_what_the_runtime_keeps(scale: str, code: str, before: bool) -> None:
    """Bernoulli(0.3) keeps 0.7 as run: 1 / 0.49 on the data is its scale twice, though the standard keeps 0.3."""
    body = "n = Shape(x)  a = Expand(p, n)  m = Bernoulli(a)  "
    body += "k = Div(x, squared)  y = Mul(k, m)" if before and code == "DA302" else scale
    content = dense(body, extra=", float p = {0.3}, float squared = {0.49}")
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert code in codes(report)
    assert not codes(report) & {"DA202", "DA303"}


def test_bernoulli_behind_another_mask_is_known_by_its_operator() -> None:
    """Its shape comes from data that a pooled draw has masked: that makes nothing of the draw itself."""
    body = (
        "v = RandomUniformLike(x)  w = Unsqueeze(v, axis)  o = MaxPool<kernel_shape = [3], pads = [1, 1]>(w)"
        "  c = Squeeze(o, axis)  b = Less(c, q)  d = Cast<to = 1>(b)  e = Mul(x, d)"
        "  n = Shape(e)  a = Expand(p, n)  m = Bernoulli(a)  s = Div(m, q)  y = Mul(e, s)"
    )
    report = audit(ArtifactSubject(dense(body, extra=", float p = {0.3}, int64[1] axis = {1}"), Role.TRAIN), PLAN)
    assert "DA408" in codes(report)


def test_a_scale_between_an_operator_and_a_mask_is_the_masks() -> None:
    """A mask whose draw is quantized is known by numbers alone; 1 / 0.7 before it is not the operator's again."""
    body = (
        "d = Dropout(x, r, t)  u = RandomUniformLike(d)  k = QuantizeLinear(u, step, low)"
        "  v = DequantizeLinear(k, step, low)  b = Less(v, q)  m = Cast<to = 1>(b)  s = Div(d, q)  y = Mul(s, m)"
    )
    content = dense(body, extra=f", float step = {{{0.7 / 150.5!r}}}, uint8 low = {{0}}")
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert not any(finding.severity is Severity.ERROR for finding in report.findings)
    first, second = report.sites
    assert first.scale is not None
    assert second.scale is not None
    assert (first.scale.median, second.scale.median) == pytest.approx((1 / 0.7, 1 / 0.7), rel=1e-4)
    assert codes(audit(ArtifactSubject(content, Role.INFERENCE), PLAN)) <= {"DA103", "DA102"}


def test_a_scale_between_a_mask_and_an_operator_is_the_masks() -> None:
    """Only numbers know the mask; an operator of the same rate behind it has 1 / 0.7 of its own."""
    body = (
        "u = RandomUniformLike(x)  k = QuantizeLinear(u, step, low)  v = DequantizeLinear(k, step, low)  b = Less(v, q)"
        "  m = Cast<to = 1>(b)  s = Mul(x, m)  d = Div(s, q)  y = Dropout(d, r, t)"
    )
    content = dense(body, extra=f", float step = {{{0.7 / 150.5!r}}}, uint8 low = {{0}}")
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert not any(finding.severity is Severity.ERROR for finding in report.findings)
    assert "DA203" in codes(report)


def test_a_mask_frozen_in_the_branch_of_one_mode_is_why_the_modes_differ() -> None:
    baked = ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2))
    content = model(
        "g (float[N,16] x, bool training) => (float[N,16] y)"
        f" <float[16] baked = {{{baked}}}, float bias = {{0.7}}, float half = {{0.5}}> {{"
        "  h = If(training) <then_branch = a () => (float[N,16] p) { s = Div(x, half)  p = Mul(s, baked) },"
        "  else_branch = b () => (float[N,16] k) { k = Identity(x) }>  y = Add(h, bias) }"
    )
    found = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert "DA401" in codes(found)
    assert "DA502" not in codes(found)


@pytest.mark.parametrize("factor", [1 / 0.21, 1 / 0.79])
def test_a_rate_of_two_draws_is_measured_well_enough_to_know_its_scale(factor: float) -> None:
    """One mask of 16 cells for the batch, kept where either of two draws is below 1 - sqrt(0.21)."""
    body = (
        "e = ReduceSum<keepdims = 1>(x, axis)  u = RandomUniformLike(e)  v = RandomUniformLike(e)  b = Less(u, each)"
        "  c = Less(v, each)  o = Or(b, c)  m = Cast<to = 1>(o)  s = Mul(x, m)  y = Mul(s, factor)"
    )
    each = f", float each = {{{1 - 0.21**0.5!r}}}, float factor = {{{factor!r}}}, int64[1] axis = {{0}}"
    found = codes(audit(ArtifactSubject(dense(body, extra=each), Role.TRAIN), PLAN))
    assert ("DA202" in found) == (factor > 2)
    assert not found & {"DA301", "DA303"}


@pytest.mark.parametrize("role", [Role.INFERENCE, Role.TRAIN])
def test_a_division_that_would_drop_by_infinity_and_never_does_leaves_the_outputs_finite(role: Role) -> None:
    body = "u = RandomUniformLike(x)  b = Less(u, two)  d = Where(b, one, infinite)  y = Div(x, d)"
    proto = onnx.load_from_string(dense(body, extra=EXTRA + ", float one = {1.0}, float infinite = {1.0}"))
    proto.graph.initializer[-1].CopyFrom(onnx.numpy_helper.from_array(np.array(np.inf, np.float32), "infinite"))
    report = audit(ArtifactSubject(proto.SerializeToString(), role), PLAN)
    assert "DA501" not in codes(report)


def test_zoneout_in_narrow_bands_is_a_choice_all_the_same() -> None:
    body = (
        "u = RandomUniformLike(x)  a = Mul(u, six)  c = Mod<fmod = 1>(a, one)  b = Less(c, share)  h = Tanh(x)"
        "  y = Where(b, h, x)"
    )
    content = dense(body, extra=EXTRA + ", float share = {0.92}" + SIX)
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    (site,) = report.sites
    assert site.declared_keep_prob == pytest.approx(0.92, abs=1e-4)
    assert "DA105" not in codes(report)


@pytest.mark.parametrize("share", [0.946, 0.98, 0.03])
def test_bands_narrower_than_any_grid_are_dropped_all_the_same(share: float) -> None:
    """6 u mod 1 < share: six bands, each of which a search in 48 parts can step over."""
    body = "u = RandomUniformLike(x)  a = Mul(u, six)  c = Mod<fmod = 1>(a, one)  b = Less(c, share)"
    content = dense(f"{body}  m = Cast<to = 1>(b)  y = Mul(x, m)", extra=EXTRA + f", float share = {{{share}}}" + SIX)
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    (site,) = report.sites
    assert site.declared_keep_prob == pytest.approx(share, abs=1e-4)
    assert "DA301" in codes(report)


@pytest.mark.parametrize("applied", ["l = Mul(x, baked)  z = Add(l, zero)", "l = Mul(x, baked)  z = Sub(x, l)"])
def test_a_frozen_mask_on_the_first_memory_is_named_for_both(applied: str) -> None:
    content = dense(
        f"{applied}  c = Unsqueeze(z, axis)  s = Unsqueeze(x, axis)"
        "  a, h, y0 = LSTM<hidden_size = 16>(s, Wi, Wr, , , s, c)  y = Squeeze(h, axis)",
        extra=f", float[16] baked = {{{', '.join(str(v) for v in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2))}}},"
        f" int64[1] axis = {{0}}, float[1,64,16] Wi = {{{', '.join(['0.1'] * 1024)}}},"
        f" float[1,64,16] Wr = {{{', '.join(['0.1'] * 1024)}}}",
    )
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert {"DA401", "DA407"} <= codes(report)


def test_at_one_half_bernoulli_is_the_same_by_the_standard() -> None:
    content = dense(
        "n = Shape(x)  a = Expand(half, n)  m = Bernoulli(a)  s = Div(m, half)  y = Mul(x, s)",
        extra=", float half = {0.5}",
    )
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert report.verdict is Verdict.PASS
    assert "DA202" not in codes(report)


GATES = {
    "mask on a gate": f"z = Sigmoid(x)  {SCALED}  k = Mul(z, s)  y = Mul(x, k)",
    "gate behind": f"{SCALED}  d = Mul(x, s)  z = Sigmoid(x)  y = Mul(d, z)",
    "one mask on two": f"{SCALED}  h = Tanh(x)  d = Mul(x, s)  e = Mul(h, s)  y = Add(d, e)",
    "gain for each feature": f"{SCALED}  k = Mul(s, gain)  y = Mul(x, k)",
    "gain behind": f"{SCALED}  k = Mul(x, s)  y = Mul(k, gain)",
    "residual": f"{SCALED}  d = Mul(x, s)  y = Add(x, d)",
    "residual, operator": "d = Dropout(x, r, t)  y = Add(x, d)",
    "two masks on one scaled tensor": (
        f"k = Div(x, q)  {CHAIN.format(x='k')}  d = Mul(k, m)"
        "  v = RandomUniformLike(k)  c = Less(v, q)  n = Cast<to = 1>(c)  e = Mul(k, n)  y = Add(d, e)"
    ),
}


@pytest.mark.parametrize("name", GATES)
def test_what_the_model_makes_of_dropped_data_is_no_fault(name: str) -> None:
    """E[y] is what inference gives in each of these: the mask enters linearly, and is scaled by 1/q."""
    gain = f", float[16] gain = {{{', '.join(str(0.1 + 0.1 * i) for i in range(16))}}}"
    report = audit(ArtifactSubject(dense(GATES[name], extra=EXTRA + gain), Role.TRAIN), PLAN)
    assert {finding.code for finding in report.findings if finding.severity is Severity.ERROR} == set()
    assert not codes(report) & {"DA106", "DA901"}
    (output,) = report.outputs
    assert output.scale_factor is not None
    assert not output.scale_factor.excludes(1.0)


def test_a_model_that_the_runtimes_own_optimizer_spoils_is_audited_all_the_same() -> None:
    """ONNX Runtime 1.31 leaves (h * 1) * (1 / w) without its first factor, and then refuses what it made."""
    body = "h = Relu(x)  k = Mul(h, one)  i = Div(one, w)  d = Mul(k, i)  e = Dropout(d, r, t)  y = Neg(e)"
    report = audit(ArtifactSubject(dense(body, extra=", float one = {1.0}, float w = {0.35}"), Role.TRAIN), PLAN)
    assert report.verdict is not Verdict.FAIL
    assert report.sites[0].keep_prob is not None
