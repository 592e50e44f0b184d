"""The finding codes: stable names of everything an audit can report, how grave each is and what it is about."""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import Self

from dropaudit.report import Severity


class About(Enum):
    """The kind of thing that a finding is about."""

    SITE = auto()
    OUTPUT = auto()
    # Two artifacts together; the subject of such a finding is where it shows.
    PAIR = auto()
    MODEL = auto()
    # The audit itself, which could not decide something about a site, an output or a branch: the subject.
    AUDIT = auto()


class FindingCode(StrEnum):
    """A finding code; the member's name is the code's slug.

    Attributes:
        severity: the usual one; a few codes have another in some roles.
        about: the kind of thing that its findings are about.
    """

    severity: Severity
    about: About

    def __new__(cls, code: str, severity: Severity, about: About) -> Self:
        """Make a member that equals its code as text."""
        member = str.__new__(cls, code)
        member._value_, member.severity, member.about = code, severity, about
        return member

    @property
    def slug(self) -> str:
        """The code in a word or two, as in DA301 (scale-missing)."""
        return self.name.lower().replace("_", "-")

    INERT_SITE = "DA101", Severity.ERROR, About.SITE
    REMOVED_BY_RUNTIME = "DA102", Severity.WARNING, About.SITE
    ACTIVE_AT_INFERENCE = "DA103", Severity.ERROR, About.SITE
    NONDETERMINISTIC_INFERENCE = "DA104", Severity.ERROR, About.OUTPUT
    NO_SITES = "DA105", Severity.WARNING, About.MODEL
    UNRECOGNIZED_RANDOMNESS = "DA106", Severity.WARNING, About.MODEL
    DEAD_SITE = "DA107", Severity.INFO, About.SITE
    RATE_MISMATCH = "DA201", Severity.ERROR, About.SITE
    RATE_SWAPPED = "DA202", Severity.ERROR, About.SITE
    STACKED_SITES = "DA203", Severity.WARNING, About.SITE
    SCALE_MISSING = "DA301", Severity.ERROR, About.SITE
    SCALE_DOUBLED = "DA302", Severity.ERROR, About.SITE
    SCALE_WRONG = "DA303", Severity.ERROR, About.SITE
    CLASSIC_SCALING = "DA304", Severity.INFO, About.SITE
    MEAN_SHIFT = "DA305", Severity.ERROR, About.OUTPUT
    FROZEN_MASK = "DA401", Severity.ERROR, About.SITE
    MASK_SHARED_OVER_BATCH = "DA402", Severity.WARNING, About.SITE
    MASK_SHARED_OVER_TIME = "DA403", Severity.INFO, About.SITE
    IDENTICAL_MASKS = "DA404", Severity.WARNING, About.SITE
    RUNTIME_CORRELATED_MASKS = "DA405", Severity.INFO, About.SITE
    SEEDED_MASK = "DA406", Severity.WARNING, About.SITE
    CELL_STATE_DROPPED = "DA407", Severity.WARNING, About.SITE
    RUNTIME_DIFFERS_FROM_STANDARD = "DA408", Severity.INFO, About.SITE
    NON_FINITE = "DA501", Severity.ERROR, About.OUTPUT
    DETERMINISTIC_MODE_GAP = "DA502", Severity.WARNING, About.OUTPUT
    PROVIDER_DISAGREEMENT = "DA503", Severity.ERROR, About.OUTPUT
    DIFFERENT_WEIGHTS = "DA504", Severity.ERROR, About.PAIR
    # A test that was undecided at the limit. It has no severity of its own: the verdict INCONCLUSIVE says it.
    INCONCLUSIVE = "DA901", Severity.INFO, About.AUDIT
