"""Claims about a mask that a body takes from the graph around it."""

from __future__ import annotations

import onnx

from dropaudit import ArtifactSubject, Plan, Provider, Role, audit
from support.graphs import HEADER


def test_a_body_that_never_runs_may_stretch_one_number_over_a_mask() -> None:
    """Without the site the number would lose the axis that ReduceMean goes along."""
    model = onnx.parser.parse_model(
        f"{HEADER} g (float[N,4] x) => (float[N,4] y, float[?,?] z)"
        "<float q = {0.8}, int64 never = {0}, bool on = {1}>"
        "{ u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  d = Mul(x, m)  y = Div(d, q)"
        "  z = Loop(never, on, x) <body = body (int64 i, bool go, float[?,?] s) => (bool more, float[?,?] t) {"
        "    t = If(go) <then_branch = then () => (float[?,?] t1) { t1 = Identity(s) }, else_branch = else ()"
        "      => (float[?,?] t2) { one = ReduceMax<keepdims = 0>(x)  k = Mul(m, one)"
        "        a = ReduceMean<axes = [0], keepdims = 1>(k)  t2 = Identity(s) }>  more = Identity(go) }> }"
    )
    report = audit(ArtifactSubject(model.SerializeToString(), role=Role.TRAIN), Plan(provider=Provider.CPU, seed=0))
    assert {site.name for site in report.sites}
