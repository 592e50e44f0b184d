"""How hypothesis searches: the same examples in every run; HYPOTHESIS_PROFILE=explore looks further."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Fixtures are shared by the examples of a test on purpose: each example clears what it uses.
_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile("same", derandomize=True, deadline=None, database=None, suppress_health_check=_SHARED)
settings.register_profile("explore", deadline=None, max_examples=2000, suppress_health_check=_SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
