"""Claims about replicates: a valid sample, whatever the runtime does between runs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.passes.decorrelate import with_paddings_fed
from dropaudit.graph.passes.derive_mode import without_sites
from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.passes.free_axis import freed
from dropaudit.graph.sites.find import find_sites
from dropaudit.measure.case import read
from dropaudit.measure.sampling.single_runs import single_runs
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import ReseededSampler, Tile, TiledSampler, split, tiled
from dropaudit.runtime.session import Session, nodes_of_default_session
from dropaudit.subjects import Array
from dropaudit_models.lstm.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import build
from support.draws import draw
from support.graphs import dense, model

CPU = choose(Provider.CPU)
X = {"x": np.ones((1, 64), dtype=np.float32)}
RUNS = 1000
W = np.random.default_rng(0).standard_normal((16, 16)).round(3).astype(np.float32)
WEIGHT = f", float[16,16] w = {{{', '.join(map(str, W.ravel()))}}}"


def session(proto: onnx.ModelProto, seed: int = 0) -> Session:
    return Session(proto, CPU, np.random.default_rng(seed))


def dispersion(kept: Array, keep_prob: float) -> float:
    """Standard deviation of the elements' z-scores over replicates, 1 for independent masks; kept is (runs, cells)."""
    runs, _ = kept.shape
    z = (kept.sum(axis=0) - runs * keep_prob) / np.sqrt(runs * keep_prob * (1 - keep_prob))
    return float(z.std())


def test_tiling_and_splitting_are_inverse_along_any_axis() -> None:
    value = np.arange(24.0).reshape(2, 3, 4)
    for axis in range(3):
        together = tiled({"x": value}, {"x": axis}, 5)["x"]
        apart = split(together, axis, 5)
        assert apart.shape == (5, 2, 3, 4)
        assert all(np.array_equal(copy, value) for copy in apart)


def test_tiled_masks_are_independent_over_replicates() -> None:
    dropped = session(read(dense("y = Dropout(x, r, t)", columns=64)).proto)
    draws = draw(TiledSampler(dropped, Tile(X, {"x": 0}, {"y": 0}), RUNS), RUNS, ("y",))["y"]
    assert draws.shape == (RUNS, 1, 64)
    assert dispersion(draws.reshape(RUNS, -1) != 0, 0.7) == pytest.approx(1.0, abs=0.35)


def test_reseeded_masks_are_independent_over_replicates() -> None:
    """A loop of single runs with the runtime's own seeds has a dispersion of about 6 here."""
    dropped = session(read(dense("y = Dropout(x, r, t)", columns=64)).proto)
    draws = draw(ReseededSampler(dropped, X), RUNS, ("y",))["y"]
    assert dispersion(draws.reshape(RUNS, -1) != 0, 0.7) == pytest.approx(1.0, abs=0.35)


def test_two_operators_of_one_run_draw_uncorrelated_masks_behind_paddings() -> None:
    proto = read(dense("a = Dropout(x, r, t)  b = Dropout(x, r, t)  y = Add(a, b)", columns=64)).proto
    probed, names = exposed(proto, [((), "a"), ((), "b")])
    correlations = {}
    for label, runs in (("plain", session(probed)), ("padded", single_runs(probed, CPU, np.random.default_rng(0), 64))):
        draws = draw(ReseededSampler(runs, X), RUNS, tuple(names.values()))
        a, b = (draws[name].reshape(RUNS, -1) != 0 for name in names.values())
        correlations[label] = np.array([np.corrcoef(a[:, cell], b[:, cell])[0, 1] for cell in range(64)])
    noise = 1 / np.sqrt(RUNS)
    assert np.abs(correlations["plain"]).max() > 10 * noise
    assert np.abs(correlations["padded"]).max() < 5 * noise


def test_what_two_masks_do_together_has_the_mean_that_each_has() -> None:
    """At a distance between their stretches that is always the same, sums of their products are off by 10 errors."""
    proto = read(dense("d = Dropout(w, r, t)  h = MatMul(x, d)  y = Dropout(h, r, t)", extra=WEIGHT)).proto
    x = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)
    runs = single_runs(proto, CPU, np.random.default_rng(0), 128)
    y = draw(ReseededSampler(runs, {"x": x}), 2 * RUNS, ("y",))["y"].reshape(2 * RUNS, -1)
    expected = (x @ W).ravel()
    scores = (y.mean(axis=0) - expected) / (y.std(axis=0) / np.sqrt(len(y)))
    assert scores.std() == pytest.approx(1.0, abs=0.35)


def test_paddings_change_neither_scale_nor_shape() -> None:
    proto = read(dense("h = Relu(x)  y = Dropout(h, r, t)", columns=64)).proto
    (site,) = find_sites(proto)
    fed = with_paddings_fed(proto, {site.maker: "length"})
    y = session(fed).run({**X, "length": np.array([64])}, ("y",))["y"]
    assert y.shape == (1, 64)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / (np.float32(1) - np.float32(0.3))}


@pytest.mark.parametrize("shape", [(0, 64), (1, 0), (1, 64)])
def test_data_without_elements_has_its_shape_behind_a_padding(shape: tuple[int, int]) -> None:
    proto = read(dense("h = Relu(x)  y = Dropout(h, r, t)", columns=64)).proto
    for values in (proto.graph.input[0], proto.graph.output[0]):
        values.type.tensor_type.ClearField("shape")
    (site,) = find_sites(proto)
    fed = with_paddings_fed(proto, {site.maker: "length"})
    y = session(fed).run({"x": np.ones(shape, np.float32), "length": np.array([64])}, ("y",))["y"]
    assert y.shape == shape


def test_the_audits_session_keeps_what_a_default_session_deletes() -> None:
    proto = read(dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)", columns=64)).proto
    assert find_sites(proto)[0].name not in nodes_of_default_session(proto, CPU)
    assert (session(proto).run(X, ("y",))["y"] == 0).any()


def test_the_derived_inference_mode_lets_everything_pass() -> None:
    for body in (
        "y = Dropout(x, r, t)",
        "u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  s = Mul(x, m)  y = Div(s, q)",
        "u = RandomUniformLike(x)  b = Less(u, q)  y = Where(b, x, zero)",
    ):
        proto = read(dense(body, columns=64)).proto
        y = session(without_sites(proto, find_sites(proto))).run(X, ("y",))["y"]
        assert np.array_equal(y, X["x"])


def sampling_of(content: bytes) -> str:
    return audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU)).execution.sampling


def test_the_batch_axis_is_found_wherever_it_is() -> None:
    second = model(
        "g (float[steps,batch,8] x) => (float[steps,batch,8] y) <float r = {0.3}, bool t = {1}>{ y = Dropout(x, r, t) }"
    )
    nameless = model("g (float[A,8] x) => (float[A,8] y) <float r = {0.3}, bool t = {1}> { y = Dropout(x, r, t) }")
    assert sampling_of(second) == "tiled"
    assert sampling_of(nameless) == "tiled"


def test_a_batch_that_only_the_signature_fixes_is_freed() -> None:
    fixed = model("g (float[4,8] x) => (float[4,8] y) <float r = {0.3}, bool t = {1}> { y = Dropout(x, r, t) }")
    layers = (Layer(6, Wrapper(output_keep_prob=0.7)), Layer(5, Wrapper(output_keep_prob=0.5)))
    recurrent = build(LSTMSpec(layers=layers, batch=3, steps=4)).SerializeToString()
    for content in (fixed, recurrent):
        report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU))
        assert report.execution.sampling == "tiled"
        assert report.execution.inputs[0].shape[0] in (3, 4)
        assert not any(site.keep_prob.excludes(site.declared_keep_prob or 0) for site in report.sites if site.keep_prob)


def test_freeing_changes_the_signature_and_nothing_else() -> None:
    proto = read(
        model("g (float[4,8] x) => (float[4,8] y) <float r = {0.3}, bool t = {1}> { y = Dropout(x, r, t) }")
    ).proto
    found = freed(proto, {"x": 0})
    assert [dim.dim_value for dim in found.graph.input[0].type.tensor_type.shape.dim] == [0, 8]
    assert not found.graph.output[0].type.tensor_type.HasField("shape")
    assert list(found.graph.node) == list(proto.graph.node)
    assert [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim] == [4, 8]


@pytest.mark.parametrize(
    "content",
    [
        model(
            "g (float[4,8] x) => (float[4,8] y) <float r = {0.3}, bool t = {1}, float[4,1] c = {1, 2, 3, 4}>"
            "{ h = Mul(x, c)  n = Softmax(h)  y = Dropout(n, r, t) }"
        ),
        dense("s = ReduceSum<keepdims = 0>(x)  h = Div(x, s)  y = Dropout(h, r, t)"),
        dense(
            "u = RandomUniform<shape = [1, 16]>()  b = Less(u, q)  m = Cast<to = 1>(b)  d = Div(m, q)"
            "  n = Softmax(x)  y = Mul(n, d)"
        ),
    ],
    ids=["each entry of the batch has a constant", "copies meet", "mask shared over the batch"],
)
def test_what_cannot_be_tiled_is_drawn_one_after_the_other(content: bytes) -> None:
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU))
    assert report.execution.sampling == "looped"
    assert report.sites[0].keep_prob is not None
    assert not report.sites[0].keep_prob.excludes(0.7)


def test_a_mask_shared_over_the_batch_counts_its_own_cells() -> None:
    content = dense(
        "u = RandomUniform<shape = [1, 16]>()  b = Less(u, q)  m = Cast<to = 1>(b)  d = Div(m, q)  y = Mul(x, d)"
    )
    assert audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU)).sites[0].elements == 16


@pytest.mark.parametrize("seed", range(8))
def test_a_shared_mask_that_dropped_nothing_in_a_trial_is_still_seen_to_be_shared(seed: int) -> None:
    """Of 4 cells at keep probability .9 two runs in three drop none."""
    chain = "u = RandomUniform<shape = [1, 4]>()  b = Less(u, k)  m = Cast<to = 1>(b)  d = Div(m, k)"
    # Features that are no batch either: the softmax ties them together.
    chain = f"h = Softmax(x)  {chain}  y = Mul(h, d)"
    content = dense(chain, columns=4, extra=", float k = {0.9}")
    plan = Plan(provider=Provider.CPU, seed=seed, max_replicates=64)
    assert audit(ArtifactSubject(content, Role.TRAIN), plan).execution.sampling == "looped"
