"""Sandboxes that run what a test gives them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.host import IsStopped, Sandbox, Tell
from dropaudit_worker.sandbox.wire import InspectJob, Made

TESTS = Path(__file__).parents[1]


class Hostile:
    """A sandbox that runs Python."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._number = 0

    def says(
        self,
        program: str,
        *,
        tell: Tell = lambda _: None,
        is_stopped: IsStopped = lambda: False,
        seconds: float = 60.0,
    ) -> Any:
        """Return what a program leaves in `said`, or the name of what it raises."""
        self._number += 1
        content = program.encode()
        job = InspectJob(number=self._number, sizes=(len(content),))
        ending = self.sandbox.run(job, [content], tell, is_stopped, seconds)
        assert isinstance(ending, Made)
        assert ending.report is not None
        return ending.report["said"]


@contextmanager
def hostile(limits: SandboxLimits | None = None) -> Iterator[Hostile]:
    """Run a sandbox that runs Python while inside."""
    environ = {**os.environ, "PYTHONPATH": str(TESTS)}
    sandbox = Sandbox(limits or SandboxLimits(), environ, "support.hostile_sandbox")
    try:
        yield Hostile(sandbox)
    finally:
        sandbox.close()
