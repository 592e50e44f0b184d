"""Claims about what each of several sites does to an output, and about a second provider."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.judge.output_findings import judge_providers
from dropaudit.plan import Provider
from dropaudit.report import Attribution, Severity
from dropaudit.stats.effect import RunningEffect
from support.graphs import CHAIN, dense

PLAN = Plan(provider=Provider.CPU)
HEALTHY, UNSCALED = "s = Mul(h, m)  a = Div(s, q)", "a = Mul(h, m)"


def two_sites(first: str) -> Report:
    """A chain, then an operator that is right, with something between them."""
    body = f"h = Relu(x)  {CHAIN.format(x='x')}  {first}  k = Neg(a)  y = Dropout(k, r, t)"
    return audit(ArtifactSubject(dense(body), Role.TRAIN), PLAN)


def effects(report: Report) -> tuple[Attribution, ...]:
    found = report.outputs[0].attributions
    assert found is not None
    return found.sites


def test_the_site_that_moves_an_output_is_named() -> None:
    report = two_sites(UNSCALED)
    (shift,) = (finding for finding in report.findings if finding.code == "DA305")
    faulty, right = effects(report)
    assert shift.evidence["site"] == faulty.site
    assert faulty.mean_gap_alone == pytest.approx(-0.3, abs=0.03)
    assert faulty.mean_gap_without == pytest.approx(0, abs=0.06)
    assert right.mean_gap_alone == pytest.approx(0, abs=0.06)
    assert right.mean_gap_without == pytest.approx(-0.3, abs=0.03)


def test_variances_of_independent_sites_are_those_of_their_masks() -> None:
    """Of x m / q the variance is x^2 (1-q)/q; of both, x^2 (1/q^2 - 1)."""
    report = two_sites(HEALTHY)
    one, other = effects(report)
    for effect in (one, other):
        assert effect.variance_alone == pytest.approx(0.3 / 0.7, rel=0.1)
    assert one.variance_without == other.variance_alone


def test_a_single_site_needs_no_attribution() -> None:
    report = audit(ArtifactSubject(dense("h = Relu(x)  y = Dropout(h, r, t)"), Role.TRAIN), PLAN)
    assert report.outputs[0].attributions is None


def test_an_effect_is_a_gap_and_a_scatter() -> None:
    running = RunningEffect(np.array([1.0, 1.0]))
    running.add(np.array([[2.0, 0.0], [0.0, 2.0]]))
    found = running.effect
    assert (found.mean_gap, found.variance) == (0.0, 1.0)


def test_outputs_that_two_providers_disagree_on_are_an_error() -> None:
    here = {"y": np.ones(4, dtype=np.float32), "z": np.ones(4, dtype=np.float32)}
    (finding,) = judge_providers(here, {"y": here["y"] * np.float32(1.01), "z": here["z"]}, Provider.CUDA)
    assert (finding.code, finding.subject, finding.severity) == ("DA503", "y", Severity.ERROR)
    assert judge_providers(here, here, Provider.CUDA) == []


def test_a_provider_agrees_with_itself() -> None:
    plan = Plan(provider=Provider.CPU, compare_provider=Provider.CPU)
    report = audit(ArtifactSubject(dense("h = Relu(x)  y = Dropout(h, r, t)"), Role.TRAIN), plan)
    assert "DA503" not in {finding.code for finding in report.findings}


def test_an_effect_of_pieces_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    reference = rng.standard_normal(30)
    sample = reference * (1 + 0.1 * rng.standard_normal((50, 30)))
    running = RunningEffect(reference)
    for piece in (sample[:7], sample[7:20], sample[20:]):
        running.add(piece)
    products = sample @ reference / (reference @ reference)
    scatter = np.square(sample - sample.mean(axis=0)).sum(axis=1).mean() / (reference @ reference)
    assert running.effect.mean_gap == pytest.approx(products.mean() - 1)
    assert running.effect.variance == pytest.approx(scatter)


def test_no_replicates_have_no_effect() -> None:
    with pytest.raises(ValueError, match="no replicates"):
        _ = RunningEffect(np.ones(3)).effect
