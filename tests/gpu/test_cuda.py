"""Claims about audits on a CUDA device."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, audit
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.prepare import prepare
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose, cuda_device
from dropaudit_models import ReferenceModel, reference_models
from support.draws import draw

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(cuda_device() is None, reason="needs an NVIDIA GPU: no CUDA device answers"),
]


@pytest.mark.parametrize("reference", reference_models(), ids=lambda reference: reference.name)
def test_cuda_and_cpu_agree_in_verdict_and_within_their_intervals(reference: ReferenceModel) -> None:
    subject = ArtifactSubject(reference.build().SerializeToString(), reference.role)
    cpu, cuda = (audit(subject, Plan(provider=provider)) for provider in (Provider.CPU, Provider.CUDA))
    assert cuda.execution.provider == "cuda"
    assert cuda.verdict is cpu.verdict
    # DA405 tells the providers apart: it is about how one of them draws.
    cpu_codes, cuda_codes = ({finding.code for finding in each.findings} - {"DA405"} for each in (cpu, cuda))
    assert cuda_codes == cpu_codes
    for one, other in zip(cpu.outputs, cuda.outputs, strict=True):
        if one.scale_factor is not None and other.scale_factor is not None:
            assert one.scale_factor.lower <= other.scale_factor.upper
            assert other.scale_factor.lower <= one.scale_factor.upper


def test_a_device_answers_means_auto_takes_it() -> None:
    assert choose(Provider.AUTO).provider is Provider.CUDA


def test_consecutive_draws_have_other_masks() -> None:
    """A captured CUDA graph would replay one mask."""
    (healthy,) = (model for model in reference_models() if model.name == "lstm-dropout")
    subject = ArtifactSubject(healthy.build().SerializeToString(), healthy.role)
    plan, place = Plan(), choose(Provider.CUDA)
    prepared = prepare(make_case(subject, plan, place), plan, place)
    sampler = prepared.drawing.sampler(np.random.default_rng(0))
    first, second = (draw(sampler, 8, ("y",))["y"] for _ in range(2))
    assert not np.array_equal(first == 0, second == 0)
