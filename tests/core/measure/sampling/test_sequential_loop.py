"""Claims about how long replicates are drawn."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, audit
from dropaudit.plan import DEFAULT_MAX_REPLICATES, Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import graph, weights

PLAN = Plan(provider=Provider.CPU)


@pytest.mark.slow
def test_an_output_that_a_seldom_kept_weight_mask_scatters_is_decided_beyond_the_default_limit() -> None:
    """One replicate's factor has a standard deviation of about 1 where a dozen weights are kept with 0.1."""
    mask = "u = RandomUniformLike(w)  b = Less(u, q)  m = Cast<to = 1>(b)  s = Div(w, q)  k = Mul(s, m)"
    model = graph(
        f"{mask}  y = MatMul(x, k)",
        inputs="float[2,4] x",
        outputs="float[2,3] y",
        constants={"w": weights(4, 3), "q": 0.1},
    )
    report = audit(ArtifactSubject(model.SerializeToString()), PLAN)
    assert report.verdict is Verdict.PASS
    assert report.execution is not None
    assert DEFAULT_MAX_REPLICATES < report.execution.replicates < 4 * DEFAULT_MAX_REPLICATES
