"""From what was measured to what the contract asks an audit to say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from dropaudit.plan import Role
from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.spellings.asked import LabelDraft, ask_for_spelling
from dropaudit_evaluation.spellings.comparison import law_of
from dropaudit_evaluation.spellings.errors import Unfit
from dropaudit_evaluation.spellings.intention import MASKS, SCALED, Extent, Law, SiteIntention
from dropaudit_evaluation.spellings.joint import Joint, Link, Shift, joint_of
from dropaudit_evaluation.spellings.network.plan import GraphPlan
from dropaudit_evaluation.spellings.pairs import label_of_pair
from dropaudit_evaluation.spellings.truth import SiteTruth, Truth

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


def label_of(plan: GraphPlan, truth: Truth, file: str) -> Label:
    """Say what the audit of a graph must say.

    Raises:
        Contradiction: the Monte Carlo does not find what was meant.
        Unfit: the graph lies too near to a limit.
    """
    found = [(site, law_of(site)) for site in truth.sites]
    live = [(site, law) for site, law in found if not site.site.is_dead]
    if plan.pair is not None:
        return label_of_pair(plan, truth, file)
    joint = joint_of(truth, [site for site, law in live if law in MASKS])
    if plan.role is Role.INFERENCE:
        return _at_inference([law for _, law in live]).label(file, plan.role)
    asked = LabelDraft()
    for site, law in live:
        _ask_for_site(asked, site, law, plan)
    if plan.declared is not None:
        _ask_for_declared(asked, truth.sites[0], plan.declared)
    _ask_for_graph(asked, [site.site for site, _ in found], joint, plan)
    return msgspec.structs.replace(asked.label(file, plan.role), keep_prob_in=plan.declared)


def _ask_for_declared(asked: LabelDraft, site: SiteTruth, declared: float) -> None:
    """Compare the measured rate with one that was declared apart from the graph."""
    q = float(site.site.keep_prob)
    if abs(declared - q) < 1e-6:
        return
    asked.error("DA202" if abs(declared + q - 1) < 1e-6 else "DA201")
    # Judged by the declared rate, the scale is wrong as well.
    asked.allow("DA303", "DA202")


def _at_inference(laws: Sequence[Law]) -> LabelDraft:
    """Nothing may drop: sites are DA103, other randomness is DA104."""
    asked = LabelDraft()
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
        asked.allow("DA104", warns=True)
    if asked.errors:
        # The scale of what should not be there may be named as well.
        asked.allow("DA301", "DA302", "DA303", "DA202")
    return asked


def _ask_for_site(asked: LabelDraft, site: SiteTruth, law: Law, plan: GraphPlan) -> None:
    if law in _ERRORS:
        _ask_for_fault(asked, site, law)
    elif law in (Law.INERT, Law.OFF):
        _ask_for_idle(asked, law, plan.role)
    elif law in (Law.NOISE, Law.FILL, Law.WORDS):
        asked.warnings.add("DA106")
    elif law in (Law.ZONEOUT, Law.BRANCH):
        # Sites of family OTHER; whether their mean is a test's matter is left open, as in the field's zoneout pair.
        asked.allow("DA901", "DA106", "DA402", warns=True)
        asked.may_be_open = True
    if law in MASKS:
        _ask_for_mask(asked, site.site, plan)


def _ask_for_fault(asked: LabelDraft, site: SiteTruth, law: Law) -> None:
    if law is Law.WRONG and _is_rate(site):
        # Kept values times p or q, one of the named factors: the swapped rate explains it as well.
        asked.error("DA303", "DA202")
    elif isinstance(site.site.keep_prob, np.ndarray) and law is Law.DOUBLED:
        # Each feature is doubled by a factor of its own; "another factor" is true as well.
        asked.error("DA302", "DA303")
    elif law is Law.WRONG and not _is_like_scale(site):
        # Where it stands on the data, it is as well a factor of the model's own beside a mask without scale.
        asked.error("DA303", "DA301")
    else:
        asked.error(*_ERRORS[law])
    if law in (Law.FROZEN, Law.INERT_SCALED):
        asked.allow("DA301", "DA302", "DA303", "DA202")


def _is_rate(site: SiteTruth) -> bool:
    if isinstance(site.site.keep_prob, np.ndarray):
        return False
    factor, q = float(np.nanmedian(site.ratio)), float(site.site.keep_prob)
    return min(abs(factor / q - 1), abs(factor / (1 - q) - 1)) < 5e-3


def _is_like_scale(site: SiteTruth) -> bool:
    """Whether a factor is above 1 and within twice of 1/q, so that it must have been meant as a scale."""
    factor = float(np.nanmedian(site.ratio))
    return factor > 1 and 0.5 <= factor * float(np.mean(site.site.keep_prob)) <= 2


def _ask_for_idle(asked: LabelDraft, law: Law, role: Role) -> None:
    if law is Law.OFF and role is Role.AUTO:
        # A Dropout that cannot be switched on is not a site.
        asked.warnings.add("DA105")
    elif law is Law.OFF:
        asked.error("DA101")
    elif role is Role.TRAIN:
        # It draws and never drops: no rate is declared, so that both readings are open.
        asked.error("DA101", "DA105")
    else:
        raise Unfit("whether it is a site that is inert, or none, makes two verdicts in this role")


def _ask_for_mask(asked: LabelDraft, site: SiteIntention, plan: GraphPlan) -> None:
    if site.is_seeded and site.law is not Law.FROZEN:
        asked.warnings.add("DA406")
    _ask_for_extent(asked, site, plan)
    if site.place == "first memory":
        asked.warnings.add("DA407")
    ask_for_spelling(asked, site, plan.role)


def _ask_for_extent(asked: LabelDraft, site: SiteIntention, plan: GraphPlan) -> None:
    if site.extent is Extent.BATCH and plan.batch is None:
        asked.warnings.add("DA402")
    elif site.extent is Extent.BATCH:
        # Nothing says which axis of fixed length is the batch.
        asked.allow("DA402", warns=True)
    if site.extent is Extent.WHOLE:
        # One draw for the whole batch is a layer left out, or a mask that the batch shares.
        asked.allow("DA402", "DA901", warns=True)
        asked.may_be_open = True


def _ask_for_graph(asked: LabelDraft, sites: Sequence[SiteIntention], joint: Joint, plan: GraphPlan) -> None:
    if any(site.is_dead for site in sites):
        asked.notes.add("DA107")
    if all(site.is_dead for site in sites):
        asked.error("DA105") if plan.role is Role.TRAIN else asked.warnings.add("DA105")
    if joint.link in (Link.EQUAL, Link.DECIDING):
        asked.warnings.add("DA404")
    if joint.link is Link.OTHER:
        asked.allow("DA404", warns=True)
    if plan.between == "nothing":
        asked.warnings.add("DA203")
    healthy = not asked.errors
    if plan.between == "nothing" and joint.link is not Link.NONE and joint.shift is Shift.UNSAID:
        raise Unfit("two right sites in a row that are doubled together, where no output can be tested")
    if joint.shift is Shift.SHIFTED and healthy:
        # Equal masks in a row: each is right, and together they are not. A tool may call the two one site, doubled.
        asked.error("DA305", "DA302")
