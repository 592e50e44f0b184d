"""Claims about which constant factors beside a mask are the dropout's own."""

from __future__ import annotations

import onnx
import pytest

from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.find import find_sites
from support.graphs import CHAIN, HEADER

Q = 0.8
CHAIN_U = CHAIN.format(x="x")


def site_of(body: str, factor: float = 1.0, other: float = 1.0, q: float = Q) -> GraphSite:
    constants = f"float q = {{{q!r}}}, float c = {{{factor!r}}}, float k = {{{other!r}}}, float zero = {{0.0}}"
    model = onnx.parser.parse_model(f"{HEADER} g (float[N,4] x) => (float[N,4] y) <{constants}> {{ {body} }}")
    (site,) = find_sites(name_nodes(model))
    return site


def slope(site: GraphSite) -> float:
    assert site.law is not None
    return site.law.slope


OWN = {"1/q": 1 / Q, "1/q^2": Q**-2, "q": Q, "1/p": 1 / (1 - Q), "p": 1 - Q}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    ("body", "source", "result"),
    [
        (f"{CHAIN_U}  s = Mul(x, c)  y = Mul(s, m)", "x", "y"),
        (f"{CHAIN_U}  s = Mul(x, m)  y = Mul(s, c)", "x", "y"),
        (f"{CHAIN_U}  s = Mul(m, c)  y = Mul(x, s)", "x", "y"),
    ],
    ids=["before", "behind", "on the mask"],
)
def test_a_factor_of_dropouts_own_belongs_to_the_site_wherever_it_stands(
    name: str, body: str, source: str, result: str
) -> None:
    site = site_of(body, OWN[name])
    assert (site.source, site.result) == (source, result)
    assert slope(site) == pytest.approx(OWN[name], rel=1e-5)


@pytest.mark.parametrize("factor", [3.7, 0.5, 2.0, -1.25, 1.0, 0.1767767])
def test_another_factor_beside_a_mask_is_the_models(factor: float) -> None:
    before = site_of(f"{CHAIN_U}  s = Mul(x, c)  d = Mul(m, k)  y = Mul(s, d)", factor, 1 / Q)
    behind = site_of(f"{CHAIN_U}  d = Mul(m, k)  s = Mul(x, d)  y = Mul(s, c)", factor, 1 / Q)
    assert slope(before) == slope(behind) == pytest.approx(1 / Q, rel=1e-5)
    if factor != 1.0:
        assert (before.source, behind.result) == ("s", "s")


def test_division_is_multiplication_by_the_inverse() -> None:
    assert slope(site_of(f"{CHAIN_U}  s = Div(x, q)  y = Mul(s, m)")) == pytest.approx(1 / Q, rel=1e-5)


@pytest.mark.parametrize("between", ["a = Add(s, zero)", "a = Sub(s, zero)", "a = Identity(s)", "a = Mul(s, k)"])
def test_what_changes_nothing_does_not_part_a_factor_from_its_mask(between: str) -> None:
    site = site_of(f"{CHAIN_U}  s = Mul(x, c)  {between}  y = Mul(a, m)", 1 / Q)
    assert site.source == "x"
    assert slope(site) == pytest.approx(1 / Q, rel=1e-5)


def test_beyond_operators_that_move_elements_a_factor_is_noted_as_remote() -> None:
    site = site_of(
        "s = Mul(x, c)  t = Transpose(s)  u = RandomUniformLike(t)  b = Less(u, q)  m = Cast<to = 1>(b)"
        "  d = Mul(t, m)  y = Transpose(d)",
        1 / Q,
    )
    assert slope(site) == 1.0
    assert site.remote is not None
    assert site.remote.factor == pytest.approx(1 / Q, rel=1e-5)
    assert site.scale_elsewhere == pytest.approx(1 / Q, rel=1e-5)


@pytest.mark.parametrize(
    "body",
    ["s = Mul(x, m)  {0}  y = Mul(t, c)", "s = Mul(x, c)  {0}  y = Mul(t, m)"],
    ids=["behind", "before"],
)
def test_beyond_a_pair_that_quantizes_a_factor_is_remote(body: str) -> None:
    site = site_of(f"{CHAIN_U}  {body.format('i = QuantizeLinear(s, k)  t = DequantizeLinear(i, k)')}", 1 / Q, 0.02)
    assert slope(site) == 1.0
    assert site.scale_elsewhere == pytest.approx(1 / Q, rel=1e-5)


def test_a_factor_that_makes_the_law_right_is_taken_before_one_that_does_not() -> None:
    """q before and 1/q behind undo each other, and the mask is unscaled; one alone would look right."""
    site = site_of(f"{CHAIN_U}  s = Mul(x, c)  d = Mul(s, m)  y = Mul(d, k)", Q, 1 / Q)
    assert (site.source, site.result) == ("x", "y")
    assert slope(site) == pytest.approx(1.0, rel=1e-5)


def test_twice_the_right_factor_is_one_too_many() -> None:
    site = site_of(f"{CHAIN_U}  s = Mul(x, c)  d = Mul(s, m)  y = Mul(d, c)", 1 / Q)
    assert (site.source, site.result) == ("x", "y")
    assert slope(site) == pytest.approx(Q**-2, rel=1e-5)


def test_at_one_half_a_half_beside_a_right_mask_is_the_models() -> None:
    site = site_of(f"{CHAIN_U}  d = Mul(m, k)  s = Mul(x, d)  y = Mul(s, c)", 0.5, 2.0, q=0.5)
    assert site.result == "s"
    assert slope(site) == pytest.approx(2.0)


def test_a_factor_that_others_read_too_is_the_models() -> None:
    site = site_of(f"{CHAIN_U}  s = Mul(x, c)  d = Mul(s, m)  h = Relu(s)  y = Add(d, h)", 1 / Q)
    assert (site.source, slope(site)) == ("s", 1.0)


def test_a_right_factor_times_an_ordinary_one_is_folded() -> None:
    site = site_of(f"{CHAIN_U}  d = Mul(x, m)  y = Mul(d, c)", 3 / Q)
    assert slope(site) == 1.0
    assert site.folded == pytest.approx(1 / Q)
