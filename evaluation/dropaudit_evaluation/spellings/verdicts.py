"""From what was measured to what the contract asks an audit to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.spellings.comparison import law_of
from dropaudit_evaluation.spellings.intention import MASKS, SCALED, Extent, Law, SiteIntention
from dropaudit_evaluation.spellings.joint import Joint, Link, Shift, joint_of
from dropaudit_evaluation.spellings.network.build import Built
from dropaudit_evaluation.spellings.truth import SiteTruth, Truth

_PASS, _WARN, _FAIL, _OPEN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.INCONCLUSIVE
# What an audit may not say unless something asks for it.
_NAMED = frozenset(
    {
        *("DA101", "DA103", "DA104", "DA105", "DA106", "DA201", "DA202", "DA203", "DA301", "DA302", "DA303", "DA304"),
        *("DA401", "DA402", "DA404", "DA406", "DA407", "DA501", "DA502", "DA504", "DA901"),
    }
)
_ERRORS = {
    Law.MISSING: {"DA301"},
    Law.DOUBLED: {"DA302"},
    Law.SWAPPED: {"DA202"},
    Law.WRONG: {"DA303"},
    Law.FROZEN: {"DA401"},
    Law.INERT_SCALED: {"DA101"},
}
_ACTIVE = (*SCALED, Law.GAUSSIAN)
_NO_SITES = (Law.NOISE, Law.FILL)
# The contract calls them sites of family OTHER; a random operator other than a site reaches the output as well.
_EITHER = (Law.WORDS, Law.ZONEOUT, Law.BRANCH)


@dataclass
class Asked:
    """What a label asks for, as it comes together.

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


def label_of(built: Built, truth: Truth, file: str, role: Role, *, stacked: bool) -> Label:
    """Say what the audit of a graph must say.

    Raises:
        Contradiction: the Monte Carlo does not find what was meant.
        Unfit: the graph lies too near to a limit.
    """
    found = [(site, law_of(site)) for site in truth.sites]
    live = [(site, law) for site, law in found if not site.site.is_dead]
    joint = joint_of(truth, [site for site, law in live if law in MASKS])
    if role is Role.INFERENCE:
        return _at_inference([law for _, law in live]).label(file, role)
    asked = Asked()
    for site, law in live:
        _ask_for_site(asked, site, law, role, is_alone=len(found) == 1)
    _ask_for_graph(asked, [site.site for site, _ in found], joint, role, stacked=stacked)
    return asked.label(file, role)


def _at_inference(laws: Sequence[Law]) -> Asked:
    """Nothing may drop: sites are DA103, other randomness is DA104."""
    asked = Asked()
    asked.allow("DA406", "DA402", "DA404", "DA203", "DA407", warns=False)
    if any(law in _ACTIVE for law in laws):
        asked.error("DA103")
    if any(law in _NO_SITES for law in laws):
        asked.error("DA104")
    if any(law in _EITHER for law in laws):
        asked.error("DA103", "DA104")
    if Law.INERT_SCALED in laws:
        asked.error("DA101", "DA103")
    if Law.FROZEN in laws:
        asked.error("DA401")
        asked.allow("DA103")
    if Law.INERT in laws:
        # A random operator reaches the output by structure, and 256 runs agree: DA104 as a WARNING.
        asked.allow("DA104", "DA101", warns=True)
    if asked.errors:
        # The scale of what should not be there may be named as well.
        asked.allow("DA301", "DA302", "DA303", "DA202")
    return asked


def _ask_for_site(asked: Asked, site: SiteTruth, law: Law, role: Role, *, is_alone: bool) -> None:
    if law in _ERRORS:
        _ask_for_fault(asked, site, law)
    elif law in (Law.INERT, Law.OFF):
        _ask_for_idle(asked, law, role)
    elif law in (Law.NOISE, Law.FILL, Law.WORDS):
        asked.warnings.add("DA106")
    elif law in (Law.ZONEOUT, Law.BRANCH):
        # Sites of family OTHER; whether their mean is a test's matter is left open, as in the field's zoneout pair.
        asked.allow("DA901", "DA106", "DA402", warns=True)
        asked.may_be_open = True
    if law in MASKS:
        _ask_for_mask(asked, site.site, role)


def _ask_for_fault(asked: Asked, site: SiteTruth, law: Law) -> None:
    if law is Law.WRONG and _is_rate(site):
        # Kept values times p or q, one of the named factors: the swapped rate explains it as well.
        asked.error("DA303", "DA202")
    elif isinstance(site.site.keep_prob, np.ndarray) and law is Law.DOUBLED:
        # Each feature is doubled by a factor of its own; "another factor" is no lie.
        asked.error("DA302", "DA303")
    else:
        asked.error(*_ERRORS[law])
    if law in (Law.FROZEN, Law.INERT_SCALED):
        asked.allow("DA301", "DA302", "DA303", "DA202")


def _is_rate(site: SiteTruth) -> bool:
    factor, q = float(np.nanmedian(site.ratio)), float(site.site.keep_prob)
    return min(abs(factor / q - 1), abs(factor / (1 - q) - 1)) < 5e-3


def _ask_for_idle(asked: Asked, law: Law, role: Role) -> None:
    if law is Law.OFF and role is Role.AUTO:
        # What cannot be switched on is no site.
        asked.warnings.add("DA105")
    elif law is Law.OFF:
        asked.error("DA101")
    elif role is Role.TRAIN:
        # It draws and never drops: no rate is declared, so that both readings are open.
        asked.error("DA101", "DA105")
    else:
        asked.allow("DA101", "DA105", warns=True)


def _ask_for_mask(asked: Asked, site: SiteIntention, role: Role) -> None:
    if site.is_seeded and site.law is not Law.FROZEN:
        asked.warnings.add("DA406")
    if site.extent is Extent.BATCH:
        asked.warnings.add("DA402")
    if site.extent is Extent.WHOLE:
        # One draw for the whole batch is a layer left out, or a mask that the batch shares.
        asked.allow("DA402", warns=True)
        asked.may_be_open = True
    if site.place == "first memory":
        asked.warnings.add("DA407")
    if site.uses_bernoulli:
        asked.notes.add("DA408")
    if site.by_operator and role is Role.TRAIN:
        asked.allow("DA102", warns=True)


def _ask_for_graph(asked: Asked, sites: Sequence[SiteIntention], joint: Joint, role: Role, *, stacked: bool) -> None:
    if any(site.is_dead for site in sites):
        asked.notes.add("DA107")
    if all(site.is_dead for site in sites):
        asked.error("DA105") if role is Role.TRAIN else asked.warnings.add("DA105")
    if joint.link in (Link.EQUAL, Link.DECIDING):
        asked.warnings.add("DA404")
    if joint.link is Link.OTHER:
        asked.allow("DA404", warns=True)
    if stacked:
        asked.warnings.add("DA203")
    healthy = not asked.errors
    if joint.shift is Shift.SHIFTED and healthy:
        # Equal masks in a row: each is right, and together they are not. A tool may call the two one site, doubled.
        asked.error("DA305", "DA302")
