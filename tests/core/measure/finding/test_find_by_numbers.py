"""Claims about sites that are found by running what follows each draw, and where the algebra says the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.find import find_sites
from dropaudit.measure.finding.find_by_numbers import sites_by_numbers
from dropaudit.plan import Provider
from dropaudit.report import Implementation
from dropaudit.runtime.provider import choose
from support.graphs import CHAIN, HEADER

CPU = choose(Provider.CPU)
KEEP_PROB = 0.7
CONSTANTS = (
    "float q = {0.7}, float p = {0.3}, float r = {0.3}, bool t = {1}, bool off = {0}, float zero = {0.0},"
    "float one = {1.0},"
    f"float f = {{{1 / 0.7!r}}}, float two = {{2.0}}, float half = {{0.5}},"
    f"float[16] qs = {{{', '.join(['0.7'] * 16)}}},"
    f"float[8,2] chances = {{{', '.join(['-1.2039728, -0.35667494'] * 8)}}}, float odds = {{0.8472979}},"
    "float tenth = {0.1},"
    "float low = {0.15}, float high = {0.85}, float hundred = {100.0}, float seventy = {70.0}, float tiny = {1e-4},"
    f"float[8,16] ones = {{{', '.join(['1.0'] * 128)}}}"
)
MASK = CHAIN.format(x="x")


def graph(body: str, signature: str = "(float[8,16] x) => (float[8,16] y)") -> onnx.ModelProto:
    return name_nodes(onnx.parser.parse_model(f"{HEADER} g {signature} <{CONSTANTS}> {{ {body} }}"))


def by_numbers(model: onnx.ModelProto) -> tuple[GraphSite, ...]:
    rng = np.random.default_rng(0)
    feeds = {value.name: rng.standard_normal((8, 16)).astype(np.float32) for value in model.graph.input}
    return sites_by_numbers(model, {}, feeds, CPU, rng)


def found_in(model: onnx.ModelProto) -> GraphSite:
    """Return the one site whose result is returned: where an operator's mask alone is read, it is a dead site too."""
    (site,) = (site for site in by_numbers(model) if site.result == "y")
    return site


# Plain spellings, which the algebra claims to know.
KNOWN = {
    "operator": "y = Dropout(x, r, t)",
    "operator inside": "h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)",
    "less": f"{MASK}  s = Div(m, q)  y = Mul(x, s)",
    "scale behind": f"{MASK}  s = Mul(x, m)  y = Div(s, q)",
    "scale before": f"{MASK}  s = Div(x, q)  y = Mul(s, m)",
    "unscaled": f"{MASK}  y = Mul(x, m)",
    "doubled": f"{MASK}  s = Div(m, q)  n = Div(s, q)  y = Mul(x, n)",
    "greater": "u = RandomUniformLike(x)  b = GreaterOrEqual(u, p)  m = Cast<to = 1>(b)  s = Mul(m, f)  y = Mul(s, x)",
    "not": "u = RandomUniformLike(x)  b = Less(u, p)  n = Not(b)  m = Cast<to = 1>(n)  s = Mul(m, f)  y = Mul(x, s)",
    "floor": "u = RandomUniformLike(x)  a = Add(u, q)  m = Floor(a)  d = Div(x, q)  y = Mul(d, m)",
    "where": "u = RandomUniformLike(x)  b = Less(u, q)  s = Div(x, q)  y = Where(b, s, zero)",
    "where the other way": "u = RandomUniformLike(x)  b = Less(u, p)  s = Div(x, q)  y = Where(b, zero, s)",
    "range of the draw": (
        "u = RandomUniformLike<low = 0.0, high = 100.0>(x)  b = Less(u, seventy)  m = Cast<to = 1>(b)"
        "  s = Mul(m, f)  y = Mul(x, s)"
    ),
    "dropout of ones": "m = Dropout(ones, r, t)  y = Mul(x, m)",
    "complement": f"{MASK}  n = Sub(one, m)  l = Sub(one, n)  s = Mul(l, f)  y = Mul(x, s)",
    "moved mask": f"{MASK}  s = Mul(m, f)  a = Transpose(s)  c = Transpose(a)  y = Mul(x, c)",
    "mask of another shape": (
        "u = RandomUniform<shape = [8, 1]>()  b = Less(u, q)  m = Cast<to = 1>(b)  s = Mul(m, f)  y = Mul(x, s)"
    ),
    "bernoulli": "n = Shape(x)  a = Expand(p, n)  m = Bernoulli(a)  s = Mul(m, f)  y = Mul(x, s)",
    "gaussian": "n = RandomNormalLike<mean = 1.0, scale = 0.5>(x)  y = Mul(x, n)",
    "two sites": "d = Dropout(x, r, t)  h = Tanh(d)  y = Dropout(h, r, t)",
    "two chains": (
        f"{MASK}  s = Mul(m, f)  d = Mul(x, s)  h = Tanh(d)"
        "  v = RandomUniformLike(h)  c = Less(v, q)  n = Cast<to = 1>(c)  k = Mul(n, f)  y = Mul(h, k)"
    ),
    "switched off": "y = Dropout(x, r, off)",
    "noise": "n = RandomNormalLike(x)  y = Add(x, n)",
    "uniform noise": "u = RandomUniformLike(x)  y = Mul(x, u)",
    "nothing": "y = Relu(x)",
}


def told(site: GraphSite) -> tuple[object, ...]:
    """The facts that both ways must agree on."""
    law = None if site.law is None else (round(site.law.slope, 5), round(site.law.shift, 5), round(site.law.dropped, 5))
    rate = None if site.declared_keep_prob is None else round(site.declared_keep_prob, 6)
    return site.implementation, site.maker, rate, site.source, site.result, law, site.switch


@pytest.mark.parametrize("name", KNOWN)
def test_algebra_and_numbers_agree_on_plain_spellings(name: str) -> None:
    model = graph(KNOWN[name])
    assert [told(site) for site in by_numbers(model)] == [told(site) for site in find_sites(model)]


# Spellings that numbers alone understand: each keeps 0.7 and is scaled right.
FOUND = {
    "sign": "u = RandomUniformLike(x)  a = Sub(q, u)  g = Sign(a)  m = Relu(g)",
    "cast to integer": "u = RandomUniformLike(x)  a = Add(u, q)  i = Cast<to = 7>(a)  m = Cast<to = 1>(i)",
    "clip": "u = RandomUniformLike(x)  a = Sub(q, u)  k = Div(a, tiny)  c = Clip(k, zero, one)  m = Ceil(c)",
    "round": "u = RandomUniformLike(x)  a = Sub(u, p)  k = Add(a, half)  m = Round(k)",
    "band": ("u = RandomUniformLike(x)  b = Greater(u, low)  c = Less(u, high)  d = And(b, c)  m = Cast<to = 1>(d)"),
    "band that almost reaches the end": (
        "u = RandomUniformLike(x)  b = Greater(u, begin)  c = Less(u, end)  d = And(b, c)  m = Cast<to = 1>(d)"
    ),
    "outside a band": (
        "u = RandomUniformLike<low = -1.0, high = 1.0>(x)  a = Abs(u)  b = Less(a, q)  m = Cast<to = 1>(b)"
    ),
    "equal": "u = RandomUniformLike(x)  a = Add(u, q)  g = Floor(a)  b = Equal(g, one)  m = Cast<to = 1>(b)",
    "rate for each feature": "u = RandomUniformLike(x)  b = Less(u, qs)  m = Cast<to = 1>(b)",
    "dropout of ones, compared": "d = Dropout(ones, r, t)  b = Greater(d, half)  m = Cast<to = 1>(b)",
    "mask of the operator": "d, b = Dropout(x, r, t)  m = Cast<to = 1>(b)",
    "logarithm": "u = RandomUniformLike(x)  a = Log(u)  l = Log(q)  b = Less(a, l)  m = Cast<to = 1>(b)",
    "normal draw": "u = RandomNormalLike(x)  b = Less(u, normal)  m = Cast<to = 1>(b)",
    "multinomial": "d = Multinomial<sample_size = 16, dtype = 6>(chances)  m = Cast<to = 1>(d)",
    "concrete, rounded": (
        "u = RandomUniformLike(x)  l = Log(u)  c = Sub(one, u)  k = Log(c)  o = Sub(l, k)  a = Add(o, odds)"
        "  g = Div(a, tenth)  h = Sigmoid(g)  m = Round(h)"
    ),
    "minimum of two": (
        "u = RandomUniformLike(x)  v = RandomUniformLike(x)  a = Max(u, v)  k = Sqrt(q)  b = Less(a, k)"
        "  m = Cast<to = 1>(b)"
    ),
}


def found_graph(name: str, application: str) -> onnx.ModelProto:
    model = graph(f"{FOUND[name].replace('normal)', 'deviation)')}  {application}")
    for held, value in {"deviation": 0.5244005, "begin": 0.295, "end": 0.995}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, dtype=np.float32), held))
    return model


@pytest.mark.parametrize("application", ["s = Mul(m, f)  y = Mul(x, s)", "s = Mul(x, m)  y = Div(s, q)"])
@pytest.mark.parametrize("name", FOUND)
def test_a_mask_is_found_whatever_operators_spell_it(name: str, application: str) -> None:
    model = found_graph(name, application)
    site = found_in(model)
    assert (site.source, site.result) == ("x", "y")
    assert site.law is not None
    assert (site.law.slope, site.law.shift, site.law.dropped) == pytest.approx((1 / KEEP_PROB, 0, 0), rel=1e-5)
    if site.declared_keep_prob is not None:
        assert site.declared_keep_prob == pytest.approx(KEEP_PROB, abs=1e-5)


@pytest.mark.parametrize("name", set(FOUND) - {"minimum of two", "rate for each feature"})
def test_its_rate_is_read_off_the_draw_exactly(name: str) -> None:
    model = found_graph(name, "s = Mul(m, f)  y = Mul(x, s)")
    assert found_in(model).declared_keep_prob == pytest.approx(KEEP_PROB, abs=1e-5)


APPLIED = {
    "difference": f"{MASK}  s = Mul(x, f)  n = Sub(one, m)  k = Mul(s, n)  y = Sub(s, k)",
    "division by the mask": f"{MASK}  s = Div(x, q)  b2 = Cast<to = 9>(m)  k = Where(b2, one, infinite)  y = Div(s, k)",
    "nested where": (
        "u = RandomUniformLike(x)  b = Less(u, q)  s = Div(x, q)  k = Where(b, s, zero)  y = Where(b, k, zero)"
    ),
    "plus zero": f"{MASK}  s = Mul(x, m)  k = Add(s, zero)  y = Div(k, q)",
}


@pytest.mark.parametrize("name", APPLIED)
def test_a_mask_is_found_however_it_is_applied(name: str) -> None:
    model = graph(APPLIED[name])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "infinite"))
    (site,) = by_numbers(model)
    assert (site.source, site.result) == ("x", "y")
    assert site.law is not None
    assert site.law.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)


def test_a_choice_between_two_tensors_names_both() -> None:
    (site,) = by_numbers(
        graph(
            "u = RandomUniformLike(x)  b = Less(u, q)  y = Where(b, x, z)",
            "(float[8,16] x, float[8,16] z) => (float[8,16] y)",
        )
    )
    assert (site.source, site.other, site.result) == ("x", "z", "y")
    assert site.declared_keep_prob == pytest.approx(KEEP_PROB, abs=1e-5)


@pytest.mark.parametrize(
    "body",
    [
        "u = RandomUniformLike(x)  y = Add(x, u)",
        "u = RandomNormalLike(x)  e = Exp(u)  y = Mul(x, e)",
        f"{MASK}  y = Add(x, m)",
        "u = RandomUniformLike(x)  b = Less(u, q)  y = Where(b, x, hundred)",
    ],
    ids=["added", "log-normal", "mask added", "filled"],
)
def test_other_randomness_is_no_site(body: str) -> None:
    assert by_numbers(graph(body)) == ()


def test_a_threshold_that_always_keeps_is_no_dropout_but_its_factor_is_seen() -> None:
    (site,) = by_numbers(
        graph("u = RandomUniformLike(x)  b = Less(u, two)  m = Cast<to = 1>(b)  s = Div(m, q)  y = Mul(x, s)")
    )
    assert site.law is not None
    assert site.law.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)


def test_only_the_nearest_factor_is_the_own_one_of_a_mask_that_always_keeps() -> None:
    (site,) = by_numbers(
        graph(
            "u = RandomUniformLike(x)  b = Less(u, two)  m = Cast<to = 1>(b)  h = Mul(x, tenth)  s = Div(h, q)"
            "  y = Mul(s, m)"
        )
    )
    assert site.source == "h"
    assert site.law is not None
    assert site.law.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)


def test_data_of_zeros_hides_no_site() -> None:
    """The law is read off numbers of our own where the data that a run gives tells nothing."""
    model = graph(f"z = Mul(x, zero)  {MASK}  s = Div(m, q)  y = Mul(z, s)")
    (site,) = by_numbers(model)
    assert site.declared_keep_prob == pytest.approx(KEEP_PROB, abs=1e-6)
    assert site.law is not None
    assert site.law.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)


def test_two_masks_in_a_row_are_two_sites_and_share_no_factor() -> None:
    model = graph(
        f"{MASK}  d = Mul(x, m)  e = Mul(d, f)  v = RandomUniformLike(e)  c = Less(v, q)  n = Cast<to = 1>(c)"
        "  k = Mul(e, n)  y = Mul(k, f)"
    )
    first, second = by_numbers(model)
    assert (first.source, first.result) == ("x", "e")
    assert (second.source, second.result) == ("e", "y")


GATES = {
    "mask on a gate": (f"z = Sigmoid(x)  {MASK}  s = Mul(m, f)  k = Mul(z, s)  y = Mul(x, k)", "z", "k"),
    "gate on a mask": (f"z = Sigmoid(x)  {MASK}  s = Mul(m, f)  k = Mul(s, z)  y = Mul(k, x)", "z", "k"),
    "gate behind": (f"{MASK}  s = Mul(m, f)  d = Mul(x, s)  z = Sigmoid(x)  y = Mul(d, z)", "x", "d"),
    "sum behind": (f"{MASK}  s = Mul(m, f)  d = Mul(x, s)  z = Tanh(x)  y = Add(d, z)", "x", "d"),
}


@pytest.mark.parametrize("name", GATES)
def test_a_gate_of_the_same_data_is_no_part_of_the_site(name: str) -> None:
    """For one input any function of x is x times a number for each element: that makes it no scale."""
    body, source, result = GATES[name]
    (site,) = by_numbers(graph(body))
    assert (site.source, site.result, site.uneven) == (source, result, False)
    assert site.law is not None
    assert site.law.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)


@pytest.mark.parametrize("joined", ["Add(x, d)", "Sub(x, d)", "Add(d, d)", "Mul(d, d)", "Mul(x, d)"])
def test_an_operator_on_data_is_a_site_whatever_its_result_meets(joined: str) -> None:
    (site,) = by_numbers(graph(f"d = Dropout(x, r, t)  y = {joined}"))
    assert (site.source, site.result) == ("x", "d")


def test_a_dropout_of_equal_weights_is_a_site_on_weights() -> None:
    weights = ",".join(["0.5"] * 256)
    model = name_nodes(
        onnx.parser.parse_model(
            f"{HEADER} g (float[8,16] x) => (float[8,16] y) <float r = {{0.3}}, bool t = {{1}},"
            f"float[16,16] W = {{{weights}}}> {{ w = Dropout(W, r, t)  y = MatMul(x, w) }}"
        )
    )
    (site,) = by_numbers(model)
    assert (site.implementation, site.source) == (Implementation.DROPOUT_OP, "W")
