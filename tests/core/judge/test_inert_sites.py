"""Claims about sites that declare a rate and keep everything: DA101 says it, and nothing beside contradicts it."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from dropaudit_models.specimens.situations.words import graph

PLAN = Plan(provider=Provider.CPU)
SCALES = frozenset({"DA201", "DA202", "DA301", "DA302", "DA303", "DA304"})


def audited(body: str, keep_prob: float | None = 0.7, **constants: float) -> Report:
    """Audit x -> y in role train, of which the training code says that it keeps 0.7."""
    model = graph(body, constants={"q": 0.7, "t": True, **constants})
    return audit(ArtifactSubject(model.SerializeToString(), Role.TRAIN, keep_prob=keep_prob), PLAN)


@pytest.mark.parametrize("threshold", [0.9999999, 1.5])
@pytest.mark.parametrize("scale", ["d = Div(k, q)", "e = Div(k, q)  d = Div(e, q)"])
def test_a_chain_whose_threshold_keeps_all_is_inert_and_has_no_wrong_scale(threshold: float, scale: str) -> None:
    chain = "u = RandomUniformLike(x)  b = Less(u, a)  m = Cast<to = 1>(b)  k = Mul(x, m)"
    for declared in (0.7, None):
        codes = [each.code for each in audited(f"{chain}  {scale}  y = Neg(d)", declared, a=threshold).findings]
        assert codes.count("DA101") == 1
        assert not SCALES & set(codes)


@pytest.mark.parametrize("scale", ["d = Identity(k)", "d = Mul(k, q)", "d = Div(k, q)"])
def test_an_operator_of_a_vanishing_rate_is_inert_where_another_is_declared(scale: str) -> None:
    codes = [each.code for each in audited(f"k = Dropout(x, r, t)  {scale}  y = Neg(d)", r=1e-7).findings]
    assert codes.count("DA101") == 1
    assert not SCALES & set(codes)


def test_a_mask_of_parts_that_were_joined_is_inert_where_its_threshold_keeps_all() -> None:
    chain = "u = RandomUniformLike(x)  b = Less(u, a)  m = Cast<to = 1>(b)  h = Constant<value = int64[2] {8, 8}>()"
    body = (
        f"{chain}  f, g = Split<axis = 1>(m, h)  j = Concat<axis = 1>(f, g)  k = Mul(x, j)  d = Div(k, q)  y = Neg(d)"
    )
    codes = [each.code for each in audited(body, None, a=1.5).findings]
    assert codes.count("DA101") == 1
    assert not SCALES & set(codes)
