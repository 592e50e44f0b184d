"""Claims about replicates that cannot lie side by side along a batch, and are drawn one after the other in one run."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.prepare import prepare
from dropaudit.measure.sampling.strategy import SamplingStrategy
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.subjects import Array
from support.draws import draw
from support.graphs import dense

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU, max_replicates=512)
COUNT = 2000
WEIGHTS = ", ".join(map(str, np.random.default_rng(0).standard_normal(256).round(3)))
EXTRA = f", float[16,16] w = {{{WEIGHTS}}}, int64[2] both = {{0, 1}}"
ROW = "e = ReduceMean<axes = [0], keepdims = 1>(x)  "
MET = "n = Softmax<axis = 0>(x)  h = Softmax(n)  "


def chain(like: str, place: str = "", seed: str = "") -> str:
    return (
        f"u{place} = RandomUniformLike{seed}({like})  b{place} = Less(u{place}, q)  m{place} = Cast<to = 1>(b{place})  "
    )


KINDS = {
    "a weight that is dropped": f"{chain('w')} s = Mul(w, m)  d = Div(s, q)  y = MatMul(x, d)",
    "a weight that is dropped before data is": f"{chain('w')} s = Mul(w, m)  d = Div(s, q)  h = MatMul(x, d)"
    f"  {chain('h', '2')} k = Mul(h, m2)  y = Div(k, q)",
    "one mask for a batch": f"{ROW}{chain('e')} h = Softmax(x)  s = Mul(h, m)  y = Div(s, q)",
    "one mask for a batch, with a seed": f"{ROW}{chain('e', seed='<seed = 3.0>')} h = Softmax(x)  s = Mul(h, m)"
    "  y = Div(s, q)",
    "two masks of one seed": f"{ROW}{chain('e', '1', '<seed = 3.0>')}{chain('e', '2', '<seed = 3.0>')} h = Softmax(x)"
    "  s = Mul(h, m1)  k = Div(s, q)  g = Tanh(k)  z = Mul(g, m2)  y = Div(z, q)",
    "entries that meet": f"{MET}{chain('h')} s = Mul(h, m)  y = Div(s, q)",
    "entries that meet, and a seed": f"{MET}{chain('h', seed='<seed = 4.0>')} s = Mul(h, m)  y = Div(s, q)",
}


def drawing_of(body: str) -> SamplingStrategy:
    subject = ArtifactSubject(dense(body, extra=EXTRA), Role.TRAIN)
    return prepare(make_case(subject, PLAN, CPU), PLAN, CPU).drawing


def moments(values: Array) -> tuple[Array, Array]:
    """Return the mean of each element over replicates, and its standard error."""
    flat = values.reshape(len(values), -1)
    return flat.mean(axis=0), flat.std(axis=0) / np.sqrt(len(flat)) + 1e-9


@pytest.mark.parametrize("body", KINDS.values(), ids=KINDS.keys())
def test_they_have_the_law_of_single_runs(body: str) -> None:
    drawing = drawing_of(body)
    assert (drawing.name, drawing.reason) == ("looped", "")
    names = tuple(name for name in drawing.shapes if name not in drawing.source.fixed)
    strategies = (drawing, drawing.one_by_one("asked for"))
    looped, single = (draw(each.sampler(np.random.default_rng(1)), COUNT, names) for each in strategies)
    for name in names:
        for power in (1, 2):
            (one, error), (other, error_too) = (moments(each[name] ** power) for each in (looped, single))
            # Of a few hundred elements none lies so far off by chance.
            assert np.all(np.abs(one - other) < 6 * np.hypot(error, error_too))


@pytest.mark.parametrize("body", KINDS.values(), ids=KINDS.keys())
def test_one_seed_draws_one_sample(body: str) -> None:
    drawing = drawing_of(body)
    first, second = (draw(drawing.sampler(np.random.default_rng(1)), 300, ("y",))["y"] for _ in range(2))
    assert np.array_equal(first, second)
    assert len(np.unique(first.reshape(300, -1), axis=0)) > 250


def test_a_report_says_that_many_were_drawn_in_a_run() -> None:
    report = audit(ArtifactSubject(dense(KINDS["one mask for a batch"], extra=EXTRA), Role.TRAIN), PLAN)
    assert (report.execution.sampling, report.execution.sampling_reason) == ("looped", "")
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.keep_prob.lower < 0.7 < site.keep_prob.upper
