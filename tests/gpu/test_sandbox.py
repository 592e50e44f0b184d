"""Claims about a sandbox that sees a GPU."""

from __future__ import annotations

import pytest

from dropaudit.plan import Plan, Provider
from dropaudit.runtime.provider import cuda_device
from dropaudit_models import reference_models
from dropaudit_store.records import ArtifactRef, Spec
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.host import Sandbox
from dropaudit_worker.sandbox.wire import AuditJob, Made

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(cuda_device() is None, reason="needs an NVIDIA GPU: no CUDA device answers"),
]


def test_a_sandbox_behind_all_of_its_walls_audits_on_the_gpu() -> None:
    reference = reference_models()[0]
    content = reference.build().SerializeToString()
    spec = Spec(subject=ArtifactRef(role=reference.role), plan=Plan(provider=Provider.CUDA))
    sandbox = Sandbox(SandboxLimits(gpu=True))
    try:
        job = AuditJob(number=1, spec=spec, sizes=(len(content),))
        ending = sandbox.run(job, [content], lambda _: None, lambda: False, 120.0)
        assert isinstance(ending, Made), ending
        assert ending.report is not None
        assert ending.report["execution"]["provider"] == "cuda"
        assert "seccomp" not in str(sandbox.missing)
        assert "GPU" not in str(sandbox.missing)
    finally:
        sandbox.close()
