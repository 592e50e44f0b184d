"""Claims about what the inference artifact of a pair multiplies where the train artifact drops."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from dropaudit import PairSubject, Plan, Report, audit
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.measure.prepare import prepare
from dropaudit.plan import Provider
from dropaudit.report import Severity
from dropaudit.runtime.provider import choose
from support.graphs import CHAIN, HEADER

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
RNG = np.random.default_rng(4)
WEIGHTS = {
    "W": RNG.standard_normal((16, 12)).astype(np.float32),
    "V": RNG.standard_normal((12, 5)).astype(np.float32),
    "bias": RNG.standard_normal(12).astype(np.float32),
    "end": RNG.standard_normal(5).astype(np.float32),
}


def network(site: str, weights: dict[str, np.ndarray] | None = None, second: str = "g = Identity(a)") -> bytes:
    """Return x -> Tanh(x W + bias) -> h, a site from h to d, Tanh -> a, a second from a to g, -> y = g V + end."""
    model = parser.parse_model(
        f"{HEADER} g (float[N,16] x) => (float[N,5] y)"
        "<float q = {0.7}, float k = {0.6}, float odd = {0.8}, float f = {1.4285714}> {"
        f" i = MatMul(x, W)  j = Add(i, bias)  h = Tanh(j)  {site}  o = Neg(d)  a = Sigmoid(o)  {second}"
        "  l = MatMul(g, V)  y = Add(l, end) }"
    )
    for name, values in (WEIGHTS | (weights or {})).items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    content: bytes = model.SerializeToString()
    return content


UNSCALED = f"{CHAIN.format(x='h')}  d = Mul(h, m)"
INVERTED = f"{CHAIN.format(x='h')}  s = Div(m, q)  d = Mul(h, s)"
SECOND = "v = RandomUniformLike(a)  w = Less(v, k)  n = Cast<to = 1>(w)  g = Mul(a, n)"


def study_of(train: bytes, inference: bytes) -> PairStudy:
    pair = prepare(make_case(PairSubject(train, inference), PLAN, CPU), PLAN, CPU).pair
    assert pair is not None
    return pair


def factors_of(train: bytes, inference: bytes) -> list[float] | None:
    found = study_of(train, inference).factors
    return None if found is None else list(found.values())


def report_of(train: bytes, inference: bytes) -> Report:
    return audit(PairSubject(train, inference), PLAN)


def codes(report: Report, severity: Severity | None = None) -> set[str]:
    return {finding.code for finding in report.findings if severity in (None, finding.severity)}


@pytest.mark.parametrize(
    ("inference", "factor"),
    [("d = Identity(h)", 1.0), ("d = Mul(h, q)", 0.7), ("d = Mul(h, f)", 1 / 0.7), ("d = Mul(h, odd)", 0.8)],
)
def test_the_factor_behind_biases_and_non_linear_operators_is_found(inference: str, factor: float) -> None:
    assert factors_of(network(UNSCALED), network(inference)) == pytest.approx([factor], rel=1e-3)


@pytest.mark.parametrize(
    ("site", "inference", "expected"),
    [
        (UNSCALED, "d = Mul(h, q)", set()),
        (UNSCALED, "d = Identity(h)", {"DA301"}),
        (UNSCALED, "d = Mul(h, odd)", {"DA303"}),
        (INVERTED, "d = Identity(h)", set()),
        (INVERTED, "d = Mul(h, q)", {"DA302"}),
        (INVERTED, "d = Mul(h, f)", {"DA302"}),
        (INVERTED, "d = Mul(h, odd)", {"DA303"}),
    ],
)
def test_each_form_in_the_middle_of_a_network_gets_its_code(site: str, inference: str, expected: set[str]) -> None:
    report = report_of(network(site), network(inference))
    assert codes(report, Severity.ERROR) == expected
    assert ("DA304" in codes(report)) == (site is UNSCALED and "q)" in inference)
    assert "DA502" not in codes(report)


@pytest.mark.parametrize(
    ("first", "second"), [(1.0, 1.0), (0.7, 0.6), (0.7, 1.0), (1.0, 0.6)], ids=["neither", "both", "first", "second"]
)
def test_each_of_two_sites_is_tried_by_itself(first: float, second: float) -> None:
    inference = network(
        "d = Mul(h, q)" if first < 1 else "d = Identity(h)", second="g = Mul(a, k)" if second < 1 else "g = Identity(a)"
    )
    found = factors_of(network(UNSCALED, second=SECOND), inference)
    assert found == pytest.approx([first, second], rel=1e-4)


def test_a_factor_on_the_weights_is_a_factor_on_their_input() -> None:
    train, inference = (
        network("d = Identity(h)", weights, second)
        for weights, second in (({}, SECOND), ({"V": WEIGHTS["V"] * np.float32(0.6)}, "g = Identity(a)"))
    )
    assert factors_of(train, inference) == pytest.approx([0.6], rel=1e-4)
    assert "DA304" in codes(report_of(train, inference))


def test_other_weights_are_made_up_for_by_no_factor() -> None:
    tuned = WEIGHTS["V"].copy()
    tuned[3, 2] += 0.5
    study = study_of(network(INVERTED), network("d = Identity(h)", {"V": tuned}))
    assert study.factors is None
    assert study.weights.different
    found = codes(report_of(network(INVERTED), network("d = Identity(h)", {"V": tuned})))
    assert "DA504" in found
    assert not found & {"DA502", "DA305", "DA301", "DA302", "DA303"}


def test_another_function_is_a_gap_and_no_fault_of_the_scale() -> None:
    """The pair's mean is judged against the train artifact's own output without its dropout."""
    other = network("d = Relu(h)")
    report = report_of(network(INVERTED), other)
    assert study_of(network(INVERTED), other).factors is None
    assert "DA502" in codes(report)
    assert not codes(report) & {"DA301", "DA302", "DA303", "DA305", "DA504"}


def test_an_output_that_one_artifact_has_alone_is_no_obstacle() -> None:
    train = onnx.load_from_string(network(UNSCALED))
    train.graph.node.append(onnx.helper.make_node("Neg", ["h"], ["extra"]))
    train.graph.output.append(onnx.helper.make_tensor_value_info("extra", onnx.TensorProto.FLOAT, ["N", 12]))
    report = report_of(train.SerializeToString(), network("d = Mul(h, q)"))
    assert "DA304" in codes(report)
    assert codes(report, Severity.ERROR) == set()


def test_a_factor_of_its_own_is_fitted_for_each_of_several_sites() -> None:
    train = network(UNSCALED, second=SECOND)
    inference = network("d = Mul(h, odd)", second="g = Mul(a, f)")
    factors = factors_of(train, inference)
    assert factors is not None
    assert factors == pytest.approx([0.8, 1.4285714], rel=1e-3)
    assert {finding.code for finding in report_of(train, inference).findings} >= {"DA303"}


# Of two draws, so that no rate can be read off the graph: q = 0.8 * 0.75.
OF_TWO_DRAWS = (
    "v = RandomUniformLike(a)  w = Less(v, odd)  v2 = RandomUniformLike(a)  w2 = Less(v2, three)  both = And(w, w2)"
    "  n = Cast<to = 1>(both)  g = Mul(a, n)"
)


def linear(site: str, second: str) -> bytes:
    """Return x -> h, a site from h to d, a product of matrices -> a, a second site from a to g, -> y = g V: linear."""
    model = parser.parse_model(
        f"{HEADER} g (float[N,16] x) => (float[N,5] y)"
        "<float q = {0.7}, float odd = {0.8}, float three = {0.75}, float six = {0.6}> {"
        f" h = Identity(x)  {site}  a = MatMul(d, W)  {second}  y = MatMul(g, V) }}"
    )
    for name in ("W", "V"):
        model.graph.initializer.append(numpy_helper.from_array(WEIGHTS[name], name))
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(("site", "expected"), [(UNSCALED, "DA304"), (INVERTED, "DA302")])
def test_of_a_linear_network_each_site_gets_its_own_factor_though_one_rate_is_only_seen(
    site: str, expected: str
) -> None:
    """Only the product of the two factors is determined, and one factor for both would be neither's q."""
    second = OF_TWO_DRAWS if expected == "DA304" else f"{OF_TWO_DRAWS[:-15]}  k = Div(n, six)  g = Mul(a, k)"
    train, inference = linear(site, second), linear("d = Mul(h, q)", "g = Mul(a, six)")
    factors = factors_of(train, inference)
    assert factors == pytest.approx([0.7, 0.6], rel=0.01)
    found = [finding.code for finding in report_of(train, inference).findings]
    assert found.count(expected) == 2
    assert "DA303" not in found


def affine(first: str, second: str, **numbers: float) -> bytes:
    """Return x -> a site from x to d, -> a = d W + bias / 20, a second from a to g, -> y = g V + end."""
    model = parser.parse_model(
        f"{HEADER} g (float[N,16] x) => (float[N,5] y) <float q = {{0.7}}, float k = {{0.6}}> {{"
        f" {first}  i = MatMul(d, W)  a = Add(i, small)  {second}  l = MatMul(g, V)  y = Add(l, end) }}"
    )
    values = WEIGHTS | {"small": WEIGHTS["bias"] / np.float32(20)}
    for name, value in (values | {name: np.array(each, np.float32) for name, each in numbers.items()}).items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(("first", "second"), [(0.8344, 0.9906), (0.994, 1.31), (1.006, 0.87), (0.83, 1.0), (1.0, 1.4)])
def test_a_factor_near_1_beside_another_is_seen_too(first: float, second: float) -> None:
    """Without the second factor only what the bias adds is wrong, which is less than outputs may differ by."""
    train = affine(f"{CHAIN.format(x='x')}  d = Mul(x, m)", SECOND)
    inference = affine("d = Mul(x, one)", "g = Mul(a, two)", one=first, two=second)
    assert factors_of(train, inference) == pytest.approx([first, second], rel=2e-3)
