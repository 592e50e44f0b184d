"""Claims about masks that keep each feature with a probability of its own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.measure.by_feature.rates import TooFine, shares_by_element, without_repeats
from dropaudit.plan import Provider
from dropaudit.report import Family, Severity, Verdict
from support.graphs import dense

PLAN = Plan(provider=Provider.CPU)
RATES = np.linspace(0.35, 0.9, 16)


def vector(name: str, values: np.ndarray) -> str:
    return f", float[16] {name} = {{{', '.join(f'{value:.8f}' for value in values)}}}"


EXTRA = (
    vector("qs", RATES)
    + vector("swapped", 1 - RATES)
    + vector("squares", RATES**2)
    + vector("roots", np.sqrt(RATES))
    + vector("gain", np.linspace(0.5, 2.0, 16))
    + ", float two = {2.0}, float[16,16] V = {"
    + ", ".join(f"{value:.4f}" for value in np.random.default_rng(5).standard_normal(256))
    + "}"
)
MASK = "u = RandomUniformLike({x})  b = Less(u, qs)  m = Cast<to = 1>(b)"
ON_X = MASK.format(x="x")
LAWS = {
    "on the mask": (f"{ON_X}  s = Div(m, qs)  y = Mul(x, s)", None),
    "before": (f"{ON_X}  s = Div(x, qs)  y = Mul(s, m)", None),
    "behind": (f"{ON_X}  s = Mul(x, m)  y = Div(s, qs)", None),
    "in two roots": (f"{ON_X}  a = Div(m, roots)  s = Div(a, roots)  y = Mul(x, s)", None),
    "missing": (f"{ON_X}  y = Mul(x, m)", "DA301"),
    "missing, and a gain of the model behind": (f"{ON_X}  s = Mul(x, m)  y = Mul(s, gain)", "DA301"),
    "doubled on the mask": (f"{ON_X}  s = Div(m, squares)  y = Mul(x, s)", "DA302"),
    "doubled on both sides": (f"{ON_X}  a = Div(x, qs)  s = Mul(a, m)  y = Div(s, qs)", "DA302"),
    "doubled behind": (f"{ON_X}  s = Mul(x, m)  y = Div(s, squares)", "DA302"),
    "swapped on the mask": (f"{ON_X}  s = Div(m, swapped)  y = Mul(x, s)", "DA202"),
    "swapped behind": (f"{ON_X}  s = Mul(x, m)  y = Div(s, swapped)", "DA202"),
    "one factor for all": (f"{ON_X}  s = Mul(m, two)  y = Mul(x, s)", "DA303"),
    "on a weight": (f"{MASK.format(x='V')}  s = Div(m, qs)  w = Mul(V, s)  y = MatMul(x, w)", None),
    "on a weight, twice": (
        f"{MASK.format(x='V')}  s = Div(m, qs)  v = Mul(V, m)  w = Mul(v, s)  y = MatMul(x, w)",
        None,
    ),
    "doubled on a weight": (
        f"{MASK.format(x='V')}  s = Div(m, qs)  v = Div(V, qs)  w = Mul(v, s)  y = MatMul(x, w)",
        "DA302",
    ),
}


def report_of(body: str) -> Report:
    return audit(ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN), PLAN)


@pytest.mark.parametrize("name", LAWS)
def test_the_scale_is_judged_by_the_rate_of_each_feature(name: str) -> None:
    body, code = LAWS[name]
    report = report_of(body)
    errors = {finding.code for finding in report.findings if finding.severity is Severity.ERROR} - {"DA305"}
    assert errors == ({code} if code else set())
    assert report.verdict is (Verdict.FAIL if code else Verdict.PASS)


ODDS = {
    "a mean over columns": "a = ReduceMean<axes = [0], keepdims = 0>(V)",
    "a product": "g = Gather(V, first)  a = MatMul(g, V)",
    "one for all": "m0 = ReduceMax<keepdims = 0>(V)  a = Softplus(m0)",
    "a share of one": "s0 = ReduceSum(V)  t0 = Tanh(s0)  a = Sub(t0, two)",
}
DRAWN = (
    "u = RandomUniformLike(x)  l = Log(u)  v = Sub(one, u)  k = Log(v)  d = Sub(l, k)  o = Add(d, a)  e = Mul(o, two)"
    "  h = Sigmoid(e)"
)
HARD = {
    "rounded": "m = Round(h)",
    "compared": "b = Greater(h, half)  m = Cast<to = 1>(b)",
    "stretched and cut at one half": "w = Mul(h, two)  z = Floor(w)  m = Clip(z, zero, one)",
}


@pytest.mark.parametrize(
    ("odds", "hard"), [*zip(ODDS, HARD, strict=False), ("one for all", "rounded"), ("a share of one", "compared")]
)
@pytest.mark.parametrize(("scale", "code"), [("q = Sigmoid(a)  y = Div(s, q)", None), ("y = Identity(s)", "DA301")])
def test_odds_that_the_graph_computes_from_weights_are_those_of_concrete_dropout(
    odds: str, hard: str, scale: str, code: str | None
) -> None:
    body = (
        f"{ODDS[odds]}  {DRAWN}  {HARD[hard]}  s = Mul(x, m)  {scale.replace('q =', 'q0 =').replace(', q)', ', q0)')}"
    )
    extra = EXTRA + ", float one = {1.0}, float half = {0.5}, int64 first = {0}"
    report = audit(ArtifactSubject(dense(body, extra=extra), Role.TRAIN), PLAN)
    assert len(report.sites) == 1
    errors = {finding.code for finding in report.findings if finding.severity is Severity.ERROR} - {"DA305"}
    assert errors == ({code} if code else set())
    assert "DA106" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize("odds", ["a product", "one for all"])
def test_a_soft_concrete_mask_is_other_randomness(odds: str) -> None:
    """Cut off at zero and one it takes these two values often, and others between them too."""
    body = f"{ODDS[odds]}  {DRAWN}  w = Mul(h, wide)  z = Sub(w, margin)  m = Clip(z, zero, one)  y = Mul(x, m)"
    extra = EXTRA + ", float one = {1.0}, float wide = {1.2}, float margin = {0.1}, int64 first = {0}"
    report = audit(ArtifactSubject(dense(body, extra=extra), Role.TRAIN), PLAN)
    assert {finding.code for finding in report.findings} == {"DA106"}


def test_a_right_mask_with_rates_by_feature_is_of_the_inverted_family() -> None:
    (site,) = report_of(LAWS["behind"][0]).sites
    assert site.family is Family.INVERTED
    assert site.keep_prob is not None
    assert site.keep_prob.lower < RATES.mean() < site.keep_prob.upper


def test_gains_that_happen_to_lie_near_one_rate_are_no_scale_by_feature() -> None:
    body = f"{ON_X.replace('qs', 'q')}  s = Mul(m, near)  y = Mul(x, s)"
    content = dense(body, extra=EXTRA + vector("near", np.linspace(0.9, 1.1, 16) / 0.7))
    report = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    assert "DA202" not in {finding.code for finding in report.findings}
    assert "DA302" not in {finding.code for finding in report.findings}


def test_shares_are_found_for_thresholds_bands_and_what_is_never_kept() -> None:
    low, high = np.array([0.0, 0.2, 0.5, 2.0]), np.array([0.3, 0.25, 2.0, 3.0])
    found = shares_by_element(lambda u: (low <= u) & (u < high), 4, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx([0.3, 0.05, 0.5, 0.0], abs=1e-6)


def test_bands_that_end_within_a_hundredth_of_the_range_are_not_taken_to_reach_its_end() -> None:
    low, high = np.array([0.003, 0.3, 0.0001]), np.array([0.8, 0.995, 0.9999])
    found = shares_by_element(lambda u: (low <= u) & (u < high), 3, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx(high - low, abs=1e-6)


def test_too_many_thresholds_are_not_sought() -> None:
    limits = np.random.default_rng(0).random(2000)
    assert shares_by_element(lambda u: u < limits, 1, 0.0, 1.0, lambda u: u) is None


def test_thresholds_of_any_number_of_cells_are_sought_together() -> None:
    limits = np.random.default_rng(0).random(2000)
    runs = []

    def flag(u: np.ndarray) -> np.ndarray:
        runs.append(u)
        return u.reshape(2, 1000).T < limits.reshape(2, 1000).T

    found = shares_by_element(flag, 2000, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx(limits.reshape(2, 1000).T, abs=1e-6)
    assert len(runs) < 200


def test_elements_that_share_cells_have_edges_of_their_own() -> None:
    limits = np.random.default_rng(0).random((5, 3))
    found = shares_by_element(lambda u: u[:, None] < limits, 5, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx(limits, abs=1e-6)


def test_rates_by_feature_are_read_off_digits_of_a_draw() -> None:
    limits = np.random.default_rng(0).integers(30, 970, 16)
    found = shares_by_element(lambda u: np.floor(7000 * u) % 1000 < limits, 16, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx(limits / 1000, abs=1e-5)


def test_axes_along_which_nothing_changes_are_shortened() -> None:
    values = np.array([[0.5, np.nan, 0.7], [0.5, 0.6, 0.7]])
    assert without_repeats(values).tolist() == [[0.5, 0.6, 0.7]]
    assert without_repeats(values.T).shape == (3, 1)


NEVER_OR_ALWAYS = {
    "always kept": (1.0, 1.0, None),
    "never kept": (0.0, 1.0, None),
    "always kept, and scaled": (1.0, 1.5, "DA303"),
}


@pytest.mark.parametrize(("rate", "scale", "code"), NEVER_OR_ALWAYS.values(), ids=NEVER_OR_ALWAYS)
def test_features_that_are_always_kept_or_never_stand_beside_others(
    rate: float, scale: float, code: str | None
) -> None:
    extra = vector("qs", np.r_[rate, RATES[1:]]) + vector("ss", np.r_[scale, 1 / RATES[1:]])
    report = audit(ArtifactSubject(dense(f"{ON_X}  k = Mul(m, ss)  y = Mul(x, k)", extra=extra), Role.TRAIN), PLAN)
    scales = {finding.code for finding in report.findings} & {"DA301", "DA302", "DA303"}
    assert scales == ({code} if code else set())


def test_a_window_that_is_cut_out_at_random_is_judged_by_the_rate_of_each_feature() -> None:
    body = (
        "u = RandomUniform<shape = [1]>()  a = Mul(u, most)  first = Floor(a)  after = Add(first, wide)"
        "  b = GreaterOrEqual(at, first)  c = Less(at, after)  d = And(b, c)  y = Where(d, zero, x)"
    )
    extra = vector("at", np.arange(16)) + ", float most = {12.0}, float wide = {4.0}"
    report = audit(ArtifactSubject(dense(body, extra=extra), Role.TRAIN), PLAN)
    assert {"DA301", "DA402"} <= {finding.code for finding in report.findings}


def test_features_that_are_always_kept_or_never_are_read_in_half_precision_too() -> None:
    rates = np.r_[0.0, 1.0, RATES[2:]]
    proto = onnx.load_from_string(
        dense(
            "h = Cast<to = 10>(x)  u = RandomUniformLike<dtype = 10>(h)  b = Less(u, qs)  m = Cast<to = 10>(b)"
            "  k = Mul(m, ss)  s = Mul(h, k)  y = Cast<to = 1>(s)"
        )
    )
    constants = {"qs": rates, "ss": np.r_[1.0, 1.0, 1 / RATES[2:]]}
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(values.astype(np.float16), name) for name, values in constants.items()
    )
    report = audit(ArtifactSubject(proto.SerializeToString(), Role.TRAIN), PLAN)
    assert not {finding.code for finding in report.findings} & {"DA301", "DA302", "DA303"}


@pytest.mark.parametrize("multiple", [333, 1000])
def test_a_mask_of_later_digits_is_too_fine_to_read_its_rate_off_the_draw(multiple: int) -> None:
    with pytest.raises(TooFine):
        shares_by_element(lambda u: multiple * u % 1 < 0.3, 1, 0.0, 1.0, lambda u: u)


@pytest.mark.parametrize("multiple", [7, 48, 96])
def test_the_rate_of_a_mask_of_few_digits_is_read_off_the_draw(multiple: int) -> None:
    found = shares_by_element(lambda u: multiple * u % 1 < 0.3, 1, 0.0, 1.0, lambda u: u)
    assert found == pytest.approx([0.3], abs=1e-4)
