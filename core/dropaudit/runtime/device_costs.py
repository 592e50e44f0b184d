"""How long an audit is predicted to take on the CPU and on a GPU, by what one run of its model does."""

from __future__ import annotations

import msgspec

from dropaudit.graph.facts.compute_estimate import Work
from dropaudit.plan import Provider

# Threads that replicates are drawn in, at most: on fewer cores the CPU takes longer.
_THREADS = 4


class Cost(msgspec.Struct, frozen=True):
    """Seconds of an audit for each operator, product and element of one run."""

    operator: float
    product: float
    element: float

    def of(self, work: Work) -> float:
        """Return the seconds of an audit."""
        return self.operator * work.operators + self.product * work.products + self.element * work.elements


# Fitted by `benchmarks/place_costs.py --fit` to benchmarks/place-costs.json: an H100 beside 16 cores.
CPU = Cost(operator=6.70e-3, product=1.64e-9, element=7.00e-8)
CUDA = Cost(operator=1.28e-2, product=2.94e-10, element=1.48e-8)


def predicted(work: Work, cores: int) -> dict[Provider, float]:
    """Return the seconds that an audit takes on each provider, from the work of one run of its model."""
    fewer = _THREADS / min(_THREADS, cores)
    return {Provider.CPU: CPU.of(work) * fewer, Provider.CUDA: CUDA.of(work)}
