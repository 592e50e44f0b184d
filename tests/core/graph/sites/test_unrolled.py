"""Claims about one mask over the unrolled steps of a layer: it is one site, and one mask over two layers is not."""

from __future__ import annotations

import re

import pytest
from numpy.typing import ArrayLike

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import X, graph, weights

PLAN = Plan(provider=Provider.CPU)
MASK = "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  k = Div(m, q)"
DRAWN_BY_DROPOUT = "sh = Shape(x)  ones = ConstantOfShape<value = float[1] {1.0}>(sh)  k = Dropout(ones, r, t)"


def report_of(steps: str, mask: str = MASK) -> Report:
    known: dict[str, ArrayLike] = {
        "w": weights(),
        "v": weights(seed=2),
        "z": weights(32, 16, seed=3),
        "q": 0.75,
        "r": 0.25,
        "t": True,
    }
    read = {name: known[name] for name in known.keys() & set(re.findall(r"\w+", f"{mask} {steps}"))}
    inputs = f"{X}, float[N,16] x2, float[N,16] x3"
    return audit(
        ArtifactSubject(graph(f"{mask}  {steps}", inputs=inputs, constants=read).SerializeToString(), Role.TRAIN), PLAN
    )


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


STEPS = {
    "states, of which the first enters": "d = Mul(x, k)  a = MatMul(d, w)  i = Add(a, x2)  h = Tanh(i)  e = Mul(h, k)  "
    "c = MatMul(e, w)  j = Add(c, x3)  g = Tanh(j)  f = Mul(g, k)  y = MatMul(f, w)",
    "inputs, which enter": "d = Mul(x, k)  a = MatMul(d, w)  e = Mul(x2, k)  c = MatMul(e, w)  f = Mul(x3, k)  "
    "g = MatMul(f, w)  i = Add(a, c)  y = Add(i, g)",
    "what two weights read": "d = Mul(x, k)  a = MatMul(d, w)  n = MatMul(d, v)  e = Mul(x2, k)  c = MatMul(e, w)  "
    "o = MatMul(e, v)  i = Add(a, c)  j = Add(n, o)  l = Add(i, j)  y = Add(l, x3)",
}  # fmt: skip


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("mask", [MASK, DRAWN_BY_DROPOUT], ids=["uniform", "operator"])
def test_one_mask_over_the_steps_of_a_layer_is_shared_over_time_and_no_identical_mask(steps: str, mask: str) -> None:
    report = report_of(steps, mask)
    assert "DA404" not in codes(report)
    assert "DA403" in codes(report)
    assert len(report.sites) == 1
    assert report.verdict in (Verdict.PASS, Verdict.WARN)


LAYERS = {
    "one after the other": "d = Mul(x, k)  a = MatMul(d, w)  e = Mul(a, k)  c = MatMul(e, v)  "
    "i = Add(c, x2)  y = Add(i, x3)",
    "side by side, read by one head": "a = MatMul(x, w)  c = MatMul(x2, v)  d = Mul(a, k)  e = Mul(c, k)  "
    "j = Concat<axis = 1>(d, e)  i = MatMul(j, z)  y = Add(i, x3)",
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_one_mask_over_two_layers_is_an_identical_mask(layers: str) -> None:
    report = report_of(layers)
    assert "DA404" in codes(report)
    assert len(report.sites) == 2


def test_an_unscaled_step_is_a_site_of_its_own() -> None:
    steps = "d = Mul(x, k)  a = MatMul(d, w)  h = Add(a, x2)  e = Mul(h, m)  c = MatMul(e, w)  y = Add(c, x3)"
    assert "DA301" in codes(report_of(steps))
