"""Claims about sites whose law is close to one that is known, but for one number."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.plan import Provider
from support.graphs import dense

PLAN = Plan(provider=Provider.CPU)


def report_of(body: str, extra: str = "") -> Report:
    return audit(ArtifactSubject(dense(body, extra=extra), Role.TRAIN), PLAN)


def noise_around(mean: float) -> Report:
    return report_of(f"n = RandomNormalLike<mean = {mean}, scale = 0.5>(x)  d = Mul(x, n)  y = Neg(d)")


def test_noise_around_one_is_gaussian_dropout() -> None:
    assert not [finding for finding in noise_around(1.0).findings if finding.code in ("DA301", "DA303", "DA901")]


@pytest.mark.parametrize("mean", [0.8, 1.25])
def test_noise_around_another_number_is_a_wrong_scale(mean: float) -> None:
    (finding,) = (each for each in noise_around(mean).findings if each.code == "DA303")
    assert finding.evidence["expected"] == 1.0
    assert finding.evidence["factor"] == pytest.approx(mean, abs=0.05)
    assert finding.evidence["lower"] <= mean <= finding.evidence["upper"]
    assert "Gaussian dropout asks for 1" in finding.message
    assert "N(1, p/q)" in finding.remedy
