"""`python -m dropaudit_worker.sandbox DESCRIPTOR LIMITS`: started by a worker, and by nobody else."""

from __future__ import annotations

import sys

import msgspec

from dropaudit_worker.sandbox.limits import SandboxLimits
from dropaudit_worker.sandbox.process import main

if __name__ == "__main__":
    main(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=SandboxLimits))
