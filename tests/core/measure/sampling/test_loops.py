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
    "a Dropout of a weight": "d = Dropout(w, r, t)  y = MatMul(x, d)",
    "a Dropout of a weight, and one behind": "d = Dropout(w, r, t)  h = MatMul(x, d)  y = Dropout(h, r, t)",
    "two Dropouts of one seed": f"{ROW}o = Div(e, e)  m1 = Dropout<seed = 7>(o, r, t)  m2 = Dropout<seed = 7>(o, r, t)"
    "  h = Softmax(x)  k = Mul(h, m1)  g = Tanh(k)  y = Mul(g, m2)",
    "a Dropout behind entries that meet, and a seed": f"{MET}y = Dropout<seed = 4>(h, r, t)",
    "a Dropout and a chain": f"d = Dropout(w, r, t)  h = MatMul(x, d)  {chain('h')} k = Mul(h, m)  y = Div(k, q)",
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


def test_masks_of_a_dropout_are_independent_over_replicates() -> None:
    """Streams of neighbouring seeds, each drawn from its start, would have a dispersion of about 6."""
    drawing = drawing_of(f"{MET}y = Dropout(h, r, t)")
    kept = draw(drawing.sampler(np.random.default_rng(2)), COUNT, ("y",))["y"].reshape(COUNT, -1) != 0
    scores = (kept.sum(axis=0) - COUNT * 0.7) / np.sqrt(COUNT * 0.7 * 0.3)
    assert scores.std() == pytest.approx(1.0, abs=0.35)
    both = float(np.mean((kept[1:] - 0.7) * (kept[:-1] - 0.7))) / (0.7 * 0.3)
    assert abs(both) < 5 / np.sqrt(kept.size)


def test_a_dropout_in_a_body_or_with_the_seed_of_a_chain_is_drawn_one_by_one() -> None:
    drawing = drawing_of(f"{MET}{chain('h', seed='<seed = 4.0>')} k = Mul(h, m)  y = Dropout<seed = 4>(k, r, t)")
    assert (drawing.name, "seed of another" in drawing.reason) == ("reseeded", True)


def test_a_report_says_that_many_were_drawn_in_a_run() -> None:
    report = audit(ArtifactSubject(dense(KINDS["one mask for a batch"], extra=EXTRA), Role.TRAIN), PLAN)
    assert (report.execution.sampling, report.execution.sampling_reason) == ("looped", "")
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.keep_prob.lower < 0.7 < site.keep_prob.upper
