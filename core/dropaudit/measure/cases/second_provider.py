"""Inference on a second provider, for comparison."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dropaudit.measure.case import Case
from dropaudit.measure.cases.reference import deterministic, float_outputs
from dropaudit.plan import Plan
from dropaudit.runtime.provider import choose
from dropaudit.runtime.session import Session
from dropaudit.subjects import Array


def outputs_elsewhere(case: Case, plan: Plan) -> Mapping[str, Array] | None:
    """Run the measured model without its randomness on the provider to compare with; None when that is not asked for.

    Raises:
        ProviderUnavailable: that provider is not there.
    """
    if plan.compare_provider is None:
        return None
    place = choose(plan.compare_provider)
    session = Session(deterministic(case.model.proto, case.model.active), place, np.random.default_rng(plan.seed))
    return float_outputs(session, case.plain_feeds)
