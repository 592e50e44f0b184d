"""`python -m dropaudit_worker.sandbox DESCRIPTOR LIMITS`: started by a worker only."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.start import start

if TYPE_CHECKING:
    from dropaudit_worker.sandbox.process import Done


def load(limits: SandboxLimits) -> Done:
    """Load what makes audits, with what the first would load."""
    for name in ("dropaudit.audit_artifacts", "dropaudit.audit_recorded"):
        importlib.import_module(name)
    from dropaudit.runtime.device_memory import limit_device_memory
    from dropaudit.runtime.heap import keep_freed_memory
    from dropaudit_worker.sandbox.warm_up import warm_up
    from dropaudit_worker.sandbox.work import done

    keep_freed_memory()
    limit_device_memory(limits.gpu_memory_bytes)
    warm_up()
    return done


if __name__ == "__main__":
    start(sys.argv[1:], load)
