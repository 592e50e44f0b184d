"""How a worker made an audit: what is counted of it beside its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Where reports say that their audit ran; anything else is counted as `other`.
_PROVIDERS = ("cpu", "cuda", "recorded")


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one audit.

    Attributes:
        phases: seconds that the audit spent in each phase, by the phase's name.
        hits: prepared artifacts that were found in the sandbox's cache.
        misses: artifacts that had to be prepared.
    """

    phases: Mapping[str, float] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0

    def arguments(self, provider: str) -> list[str | int]:
        """Return what the script that ends an audit takes of it.

        Args:
            provider: where the audit ran, as its report says; empty without a report.
        """
        known = provider if not provider or provider in _PROVIDERS else "other"
        phases = "\n".join(f"{name} {seconds:.6f}" for name, seconds in self.phases.items())
        return [known, phases, self.hits, self.misses]


UNKNOWN = Course()
