"""A sandbox that does what no job can make it do: it runs the Python that it gets in the place of a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.start import start

if TYPE_CHECKING:
    from dropaudit_worker.sandbox.process import Done


def load(_: SandboxLimits) -> Done:
    """Load what runs a program, and returns what it leaves in `said`, or the name of what it raises."""
    from support.programs import run

    return run


if __name__ == "__main__":
    start(sys.argv[1:], load)
