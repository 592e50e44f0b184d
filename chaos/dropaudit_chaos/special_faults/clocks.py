"""A worker whose clock is wrong by more than a lease."""

from __future__ import annotations

import random

from dropaudit_chaos.parts import Service, pause

# Leases of chaos last 2 s.
_FARTHEST_SECONDS = 60.0


def skew_worker(service: Service, rng: random.Random) -> None:
    """Run a worker for a while with a clock that is up to a minute ahead or behind."""
    worker = rng.choice(service.workers)
    skew = rng.choice((-1, 1)) * rng.uniform(5, _FARTHEST_SECONDS)
    with worker.otherwise(
        module="dropaudit_chaos.special_faults.skewed", arguments=[f"{skew:.3f}", "dropaudit_worker"]
    ):
        pause(rng)
