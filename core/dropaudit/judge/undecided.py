"""DA901: a test that was still open at the replicate limit."""

from __future__ import annotations

import math

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.report import Finding, Interval
from dropaudit.stats.sequential.tests import SequentialTest

_TOO_MANY = 1e6


def undecided(subject: str, quantity: str, interval: Interval, test: SequentialTest) -> Finding:
    """Say what is undecided, and how many more replicates would likely decide it."""
    more = test.times_as_many(interval)
    few = more < _TOO_MANY
    # Rounded up: a tenth less would not do.
    advice = f"Allow about {math.ceil(10 * more) / 10:.1f} times as many replicates" if few else "Widen the tolerance"
    return make_finding(
        FindingCode.INCONCLUSIVE,
        subject,
        message=f"The {quantity} {interval} is undecided at the replicate limit.",
        remedy=f"{advice}, or audit a larger input.",
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
        factorMore=more if math.isfinite(more) else None,
    )
