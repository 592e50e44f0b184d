"""Claims about the one session that serves the reference and the trials."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.cases.reference import deterministic
from dropaudit.measure.sampling.both_modes import Shared, shared_session
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose
from support.graphs import CHAIN, HEADER, dense, model

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU)
OPERATOR = "h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d)"
BY_INPUT = "g (float[N,16] x, bool t) => (float[N,16] y) <float r = {0.3}> { y = Dropout(x, r, t) }"
IN_A_BODY = f"""{HEADER}
g (float[N,16] x) => (float[N,16] y) <float r = {{0.3}}, bool t = {{1}}, int64 n = {{2}}, bool go = {{1}}> {{
    y = Loop(n, go, x) <body = b (int64 i, bool c, float[N,16] s) => (bool o, float[N,16] k)
        {{ o = Identity(c)  k = Dropout(s, r, t) }}>
}}"""


def shared(content: bytes, left_out: tuple[str, ...] = ()) -> Shared | None:
    found = make_case(ArtifactSubject(content, Role.TRAIN), PLAN, CPU).model
    silent = deterministic(found.proto, found.active)
    return shared_session(found, silent, found.active, left_out, CPU, np.random.default_rng(0))


def test_one_session_runs_both_modes_of_dropout_operators() -> None:
    found = shared(dense(OPERATOR))
    assert found is not None
    assert found.operators == {"Dropout_0"}
    assert found.outputs == found.bypassed.output_names == ("y",)
    x = {"x": np.ones((4, 16), dtype=np.float32)}
    assert np.array_equal(found.bypassed.run(x, ("y",))["y"], np.full((4, 16), -np.tanh(np.float32(1))))
    assert (found.train.run(x, ("y",))["y"] == 0).any()


def test_what_is_not_compared_is_not_read() -> None:
    found = shared(dense(OPERATOR), left_out=("y",))
    assert found is not None
    assert found.outputs == ()


@pytest.mark.parametrize(
    "content",
    [
        dense(f"{CHAIN.format(x='x')}  s = Mul(x, m)  y = Div(s, q)"),
        dense("n = RandomNormalLike(x)  a = Add(x, n)  y = Dropout(a, r, t)"),
        model(BY_INPUT),
        model(IN_A_BODY.removeprefix(HEADER)),
    ],
    ids=["a chain", "other noise", "a mode that an input is already", "in a body"],
)
def test_there_is_none_where_more_tells_the_modes_apart(content: bytes) -> None:
    assert shared(content) is None
