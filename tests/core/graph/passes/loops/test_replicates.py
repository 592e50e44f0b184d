"""Claims about many replicates that are drawn one after the other in one run."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.passes.loops.replicates import COUNT, looped, replicates_of
from dropaudit.measure.case import read
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array
from support.graphs import HEADER, dense, model

CPU = choose(Provider.CPU)
X = {"x": np.ones((1, 64), dtype=np.float32)}
COLUMNS, COPIES, KEPT = 64, 1000, 0.7
UNIFORM = "u = RandomUniform<shape = [1, 64]>()  b = Less(u, q)  m = Cast<to = 1>(b)"
TWO = f"{UNIFORM}  d = Mul(x, m)  v = RandomUniformLike(x)  c = Less(v, q)  y = Where(c, d, zero)"


def loop_of(proto: onnx.ModelProto) -> Session:
    found = looped(proto)
    assert found is not None
    return Session(found, CPU, np.random.default_rng(0))


def replicates(proto: onnx.ModelProto, *names: str, count: int = COPIES) -> list[Array]:
    """Return tensors of replicates, shape (count, cells)."""
    found = loop_of(proto).run({**X, COUNT: np.array(count)}, [replicates_of(name) for name in names])
    return [found[replicates_of(name)].reshape(count, -1) for name in names]


def proto_of(body: str) -> onnx.ModelProto:
    return read(dense(body, columns=COLUMNS)).proto


def correlation(one: Array, other: Array) -> float:
    """Return the mean correlation of the cells of two masks, over replicates."""
    return float(np.mean((one - one.mean(axis=0)) * (other - other.mean(axis=0))) / (KEPT * (1 - KEPT)))


@pytest.mark.parametrize("body", ["y = Tanh(x)", "h = Tanh(x)  s = Shape(h)  g = Reshape(h, s)  y = Neg(g)"])
def test_where_nothing_is_drawn_every_replicate_is_what_a_run_returns(body: str) -> None:
    proto = proto_of(body)
    alone = Session(proto, CPU, np.random.default_rng(0)).run(X, ["y"])["y"].ravel()
    (found,) = replicates(proto, "y", count=3)
    assert found.tolist() == [alone.tolist()] * 3


DRAWS = {
    "a uniform draw": f"{UNIFORM}  y = Mul(x, m)",
    "a uniform draw like the data": "u = RandomUniformLike<seed = 3.0>(x)  b = Less(u, q)  y = Where(b, x, zero)",
    "a normal draw": "n = RandomNormalLike<mean = 0.5244>(x)  b = Greater(n, zero)  y = Where(b, x, zero)",
}


@pytest.mark.parametrize("body", DRAWS.values(), ids=DRAWS.keys())
def test_masks_are_independent_over_replicates_and_keep_what_they_should(body: str) -> None:
    (found,) = replicates(proto_of(body), "y")
    kept = found != 0
    scores = (kept.sum(axis=0) - COPIES * KEPT) / np.sqrt(COPIES * KEPT * (1 - KEPT))
    assert scores.std() == pytest.approx(1.0, abs=0.35)
    assert abs(correlation(kept[1:], kept[:-1])) < 5 / np.sqrt(kept.size)


def test_masks_of_two_operators_are_independent_within_a_replicate_and_from_one_to_the_next() -> None:
    probed, names = exposed(proto_of(TWO), [((), "m")])
    mask, y = replicates(probed, names[((), "m")], "y")
    seen = mask.all(axis=0)  # where the first mask drops, the second cannot be seen
    assert not seen.any()
    kept, kept_both = mask != 0, y != 0
    assert kept_both.mean() == pytest.approx(KEPT * KEPT, abs=0.01)
    assert abs(correlation(kept_both[1:], kept[:-1])) < 5 / np.sqrt(kept.size)


def test_masks_of_one_seed_are_one_mask_in_every_replicate() -> None:
    body = "u = RandomUniformLike<seed = 7.0>(x)  v = RandomUniformLike<seed = 7.0>(x)  y = Sub(u, v)"
    (found,) = replicates(proto_of(body), "y")
    assert not found.any()


def test_an_input_that_varies_has_a_value_for_each_replicate() -> None:
    proto = read(model("g (float[1,4] x, float[1] a) => (float[1,4] y) { y = Mul(x, a) }", HEADER)).proto
    found = looped(proto, ["a"])
    assert found is not None
    lengths = np.array([[1], [2], [3]], np.float32)
    feeds = {"x": np.ones((1, 4), np.float32), COUNT: np.array(3), replicates_of("a"): lengths}
    y = Session(found, CPU, np.random.default_rng(0)).run(feeds, [replicates_of("y")])[replicates_of("y")]
    assert y[:, 0, 0].tolist() == [1, 2, 3]


def test_a_model_older_than_loops_without_a_state_is_not_looped() -> None:
    text = "g (float[1,4] x) => (float[1,4] y) { y = Neg(x) }"
    assert looped(read(model(text, '<ir_version: 5, opset_import: ["" : 10]>')).proto) is None
