"""Claims about bodies of Scan and Loop that keep only what randomness reaches."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import parser

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.passes.cut_at_randomness import Cut, beyond, cut_at_randomness
from dropaudit.graph.passes.derive_mode import without_sites
from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.reading.scope import bodies_of
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.sites.find import find_sites
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session
from support.graphs import HEADER

CPU = choose(Provider.CPU)
WEIGHTS = ", ".join(f"{value:.3f}" for value in np.random.default_rng(0).standard_normal(64) / 3)
X = {
    "x": np.random.default_rng(1).standard_normal((6, 4, 8)).astype(np.float32),
    "h0": np.zeros((4, 8), dtype=np.float32),
}
SCAN = """g (float[6,B,8] x, float[B,8] h0) => (float[6,B,8] y) <float r = {0.3}, bool t = {1}, float[8,8] w = {W}> {
    last, y = Scan <num_scan_inputs = 1 MORE, body = step (float[B,8] h, float[B,8] v) => (float[B,8] o, float[B,8] z) {
        BODY
    }> (h0, x)
}"""
LOOP = """g (float[6,B,8] x, float[B,8] h0) => (float[6,B,8] y)
<float r = {0.3}, bool t = {1}, float[8,8] w = {W}, int64 n = {6}, bool go = {1}> {
    last, y = Loop <body = step (int64 i, bool c, float[B,8] h) => (bool k, float[B,8] o, float[B,8] z) {
        k = Identity(c)  v = Gather<axis = 0>(x, i)  BODY
    }> (n, go, h0)
}"""
# What is left of a body by what it does: the output alone is dropped, and the state with the product of the input.
BODIES = {
    "output": ("m = MatMul(v, w)  s = Add(m, h)  o = Tanh(s)  z = Dropout(o, r, t)", {"Dropout"}),
    "state": ("m = MatMul(v, w)  s = Add(m, h)  z = Tanh(s)  o = Dropout(z, r, t)", {"Add", "Tanh", "Dropout"}),
    "behind": ("m = MatMul(v, w)  o = Tanh(m)  d = Dropout(o, r, t)  z = MatMul(d, w)", {"Dropout", "MatMul"}),
}


def model(text: str, body: str, more: str = "") -> onnx.ModelProto:
    text = text.replace("BODY", body).replace("{W}", f"{{{WEIGHTS}}}").replace("MORE", more)
    return name_nodes(parser.parse_model(HEADER + text))


def cut(proto: onnx.ModelProto) -> Cut:
    found = cut_at_randomness(proto, ["y"])
    assert found is not None
    return found


def left(found: Cut) -> list[str]:
    """Return the operators of the one body that is left."""
    ((_, body),) = [each for node in found.model.graph.node for each in bodies_of(node)]
    return [node.op_type for node in body.node]


@pytest.mark.parametrize("text", [SCAN, LOOP], ids=["Scan", "Loop"])
@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES.keys())
def test_a_body_keeps_what_randomness_reaches(text: str, body: str, expected: set[str]) -> None:
    assert set(left(cut(model(text, body)))) - {"Gather", "Identity"} == expected


@pytest.mark.parametrize("text", [SCAN, LOOP], ids=["Scan", "Loop"])
@pytest.mark.parametrize("body", [body for body, _ in BODIES.values()], ids=BODIES.keys())
def test_what_is_left_gives_what_the_whole_gives(text: str, body: str) -> None:
    proto = model(text, body)
    assert agrees(proto)


@pytest.mark.parametrize(
    "more",
    [
        ", scan_input_directions = [1]",
        ", scan_output_directions = [1]",
        ", scan_input_directions = [1], scan_output_directions = [1]",
        ", scan_input_axes = [0], scan_output_axes = [0]",
    ],
)
def test_directions_and_axes_of_a_scan_stay(more: str) -> None:
    assert agrees(model(SCAN, BODIES["output"][0], more))
    assert agrees(model(SCAN, BODIES["state"][0], more))


def agrees(proto: onnx.ModelProto) -> bool:
    """Whether a model without its sites and its part beyond the cut give the same on what the whole makes before."""
    found = cut(proto)
    assert found.bodies
    silent = without_sites(proto, find_sites(proto))
    readable, probes = exposed(proto, found.frontier.values())
    whole = Session(readable, CPU, np.random.default_rng(0)).run(X, tuple(probes.values()))
    part = Session(beyond(silent, found, ["y"]), CPU, np.random.default_rng(0))
    feeds = {name: whole[probes[place]] for name, place in found.frontier.items()} | X
    got = part.run({name: value for name, value in feeds.items() if name in part.input_names}, ("y",))["y"]
    expected = Session(silent, CPU, np.random.default_rng(0)).run(X, ("y",))["y"]
    return bool(np.allclose(got, expected, rtol=1e-5, atol=1e-6))


def test_a_scan_of_the_first_kind_stays_as_it_is() -> None:
    proto = model(SCAN, BODIES["output"][0])
    proto.opset_import[0].version = 8
    assert cut_at_randomness(proto, ["y"]) is None


def test_a_body_that_is_random_throughout_stays_as_it_is() -> None:
    proto = model(SCAN, "d = Dropout(v, r, t)  m = MatMul(d, w)  o = Tanh(m)  z = Identity(o)")
    assert cut_at_randomness(proto, ["y"]) is None


def test_a_loop_whose_end_is_random_stays_as_it_is() -> None:
    body = "m = MatMul(v, w)  s = Add(m, h)  o = Tanh(s)  z = Dropout(o, r, t)"
    text = LOOP.replace(
        "k = Identity(c)", "u = RandomUniform<shape = [1]>()  e = ReduceSum<keepdims = 0>(u)  k = Less(e, r)"
    )
    assert cut_at_randomness(model(text, body), ["y"]) is None


@pytest.mark.parametrize("text", [SCAN, LOOP], ids=["Scan", "Loop"])
def test_an_audit_of_dropout_in_a_body_measures_what_is_declared(text: str) -> None:
    content = model(text, BODIES["output"][0]).SerializeToString()
    report = audit(ArtifactSubject(content, Role.TRAIN, X, keep_prob=0.7), Plan(provider=Provider.CPU))
    (site,) = report.sites
    assert site.keep_prob is not None
    assert abs(site.keep_prob.estimate - 0.7) < 0.01
    assert site.scale is not None
    assert site.scale.median == pytest.approx(1 / 0.7, rel=1e-5)
    assert report.outputs[0].scale_factor is not None
    assert not report.outputs[0].scale_factor.excludes(1.0)
