"""Claims about pairs whose weights differ by a factor that no dropout asks for."""

from __future__ import annotations

import pytest

from dropaudit import PairSubject, Plan, audit
from dropaudit.plan import Provider
from dropaudit_models.specimens.situations.words import CHAIN, graph, weights

PLAN = Plan(provider=Provider.CPU)


def messages(factor: float, q: float = 0.5) -> dict[str, str]:
    """Audit an unscaled mask beside an inference artifact whose weights are multiplied; messages by code."""
    train = graph(f"{CHAIN}  d = Mul(x, m)  y = MatMul(d, w)", q=q, w=weights())
    inference = graph("y = MatMul(x, w)", w=factor * weights())
    report = audit(PairSubject(train.SerializeToString(), inference.SerializeToString()), PLAN)
    return {finding.code: finding.message for finding in report.findings}


@pytest.mark.parametrize("factor", [0.3, 0.8, 3.0])
def test_it_is_not_said_that_inference_does_nothing_where_weights_are_multiplied(factor: float) -> None:
    found = messages(factor)
    assert {"DA301", "DA504"} <= found.keys()
    assert "the other differences at inference do not make up for it" in found["DA301"]


def test_it_is_said_where_the_weights_are_the_same() -> None:
    found = messages(1.0)
    assert "DA504" not in found
    assert "nothing at inference makes up for it" in found["DA301"]


def test_weights_times_q_are_the_papers_form() -> None:
    assert messages(0.5).keys() == {"DA304"}
