"""Claims about large batches: they are tried on their first entries, and reported as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.prepare import prepare
from dropaudit.measure.sampling.excerpt import excerpt
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from support.graphs import dense, model

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
X = np.random.default_rng(0).standard_normal((256, 2048)).astype(np.float32)


def test_only_a_batch_is_cut_short() -> None:
    found = excerpt({"x": np.zeros((3, 64, 5)), "w": np.zeros(7)}, {"x": 1}, elements=2**21)
    assert found is not None
    assert {name: value.shape for name, value in found.items()} == {"x": (3, 2, 5), "w": (7,)}


@pytest.mark.parametrize(
    ("batches", "elements"),
    [((64,), 2**18), ((2,), 2**21), ((64, 128), 2**21)],
    ids=["a small replicate", "a batch of two", "inputs of several extents"],
)
def test_what_saves_nothing_or_is_no_batch_stays_whole(batches: tuple[int, ...], elements: int) -> None:
    feeds = {f"x{extent}": np.zeros((extent, 4)) for extent in batches}
    assert excerpt(feeds, dict.fromkeys(feeds, 0), elements) is None


def test_an_excerpt_is_drawn_from_the_same_part_of_the_model_along_the_same_axes() -> None:
    subject = ArtifactSubject(
        dense("h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)", columns=2048), Role.TRAIN, {"x": X}
    )
    drawing = prepare(make_case(subject, PLAN, CPU), PLAN, CPU).drawing
    assert drawing.sketch is not None
    assert (drawing.shapes["y"], drawing.sketch.shapes["y"]) == ((256, 2048), (11, 2048))
    assert drawing.source.model == drawing.sketch.source.model
    assert drawing.source.axes == drawing.sketch.source.axes
    for name, value in drawing.sketch.source.feeds.items():
        assert np.array_equal(value, drawing.source.feeds[name][:11])


def test_a_model_that_wants_its_whole_batch_gets_it() -> None:
    """Its batch is written into a Reshape: neither an excerpt nor copies run; replicates come one after the other."""
    text = (
        "g (float[256,2048] x) => (float[256,2048] y)"
        "<float r = {0.3}, bool t = {1}, int64[2] s = {256, 2048}>"
        "{ h = Tanh(x)  f = Reshape(h, s)  a = Add(f, x)  y = Dropout(a, r, t) }"
    )
    subject = ArtifactSubject(model(text), Role.TRAIN, {"x": X})
    report = audit(subject, Plan(provider=Provider.CPU, max_replicates=128))
    assert report.outputs[0].shape == (256, 2048)


def test_masks_shared_over_a_large_batch_are_still_seen() -> None:
    body = (
        "s = Slice(x, zeros, ones, zeros)  u = RandomUniformLike(s)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)"
    )
    extra = ", int64[1] zeros = {0}, int64[1] ones = {1}"
    subject = ArtifactSubject(dense(body, columns=2048, extra=extra), Role.TRAIN, {"x": X})
    (site,) = audit(subject, Plan(provider=Provider.CPU, max_replicates=256)).sites
    assert [axis.value for axis in site.shared_over] == ["BATCH"]


def test_several_sites_of_a_large_batch_are_told_apart() -> None:
    content = dense("h = Tanh(x)  a = Dropout(h, r, t)  b = Neg(a)  y = Dropout(b, r, t)", columns=2048)
    report = audit(ArtifactSubject(content, Role.TRAIN, {"x": X}), Plan(provider=Provider.CPU, max_replicates=256))
    attributions = report.outputs[0].attributions
    assert attributions is not None
    for each in attributions.sites:
        # Inverted dropout at 0.3 leaves the mean, and scatters by p/q.
        assert each.mean_gap_alone == pytest.approx(0, abs=0.01)
        assert each.variance_alone == pytest.approx(3 / 7, rel=0.05)
