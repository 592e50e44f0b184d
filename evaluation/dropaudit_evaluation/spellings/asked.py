"""Labels under construction."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.spellings.intention import SiteIntention

_PASS, _WARN, _FAIL, _OPEN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.INCONCLUSIVE
# What an audit may not say unless something asks for it.
_NAMED = frozenset(
    {
        *("DA101", "DA103", "DA104", "DA105", "DA106", "DA201", "DA202", "DA203", "DA301", "DA302", "DA303", "DA304"),
        *("DA401", "DA402", "DA404", "DA406", "DA407", "DA501", "DA502", "DA504", "DA901"),
    }
)


@dataclass
class LabelDraft:
    """A label under construction.

    Attributes:
        errors: groups of codes of which one each must be there, as an ERROR.
        warnings: codes that must be there, as a WARNING.
        notes: codes that must be there, as an INFO.
        allowed: codes that may be there.
        may_warn: whether an allowed code is a WARNING.
        may_be_open: whether a test may stay undecided.
    """

    errors: list[frozenset[str]] = field(default_factory=list)
    warnings: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    may_warn: bool = False
    may_be_open: bool = False

    def error(self, *codes: str) -> None:
        """Ask for an ERROR of one of these codes."""
        self.errors.append(frozenset(codes))

    def allow(self, *codes: str, warns: bool = False) -> None:
        """Let codes be there."""
        self.allowed.update(codes)
        self.may_warn |= warns

    @property
    def verdict(self) -> tuple[Verdict, ...]:
        """FAIL for an ERROR, WARN for a WARNING, otherwise what is allowed."""
        if self.errors:
            return (_FAIL,)
        found = (_WARN,) if self.warnings else (_PASS, _WARN) if self.may_warn else (_PASS,)
        return (*found, _OPEN) if self.may_be_open else found

    def label(self, file: str, role: Role) -> Label:
        """Return the row."""
        needed = self.warnings | self.notes
        alternatives = tuple(group for group in self.errors if len(group) > 1)
        codes = frozenset(needed).union(*(group for group in self.errors if len(group) == 1))
        free = codes.union(self.allowed, *alternatives)
        return Label(
            file=file,
            role=role,
            verdict=self.verdict,
            codes=codes,
            codes_any=alternatives,
            not_codes=_NAMED - free,
        )


def ask_for_spelling(asked: LabelDraft, site: SiteIntention, role: Role) -> None:
    """Ask for what follows from how a mask is spelled, whatever it does."""
    if site.uses_bernoulli and abs(float(site.keep_prob) - 0.5) > 0.01:
        asked.notes.add("DA408")
    if site.applies_twice:
        # One site whose mask stands twice in a row; read by operators, a tensor that is dropped twice.
        asked.allow("DA203", "DA404", warns=True)
    if site.by_operator and role is Role.TRAIN:
        asked.allow("DA102", warns=True)
