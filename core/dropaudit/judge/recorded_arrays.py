"""Findings about recorded outputs, from a constant ratio and a kept share."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.report import Family, Finding, Interval, Scale, Site
from dropaudit.stats.ratios import Ratios, median
from dropaudit.stats.scale import RECORDED_PRECISION, Factor, is_constant, name_factor

SECTION_10 = "Srivastava et al. 2014, section 10"


class RecordedEvidence(msgspec.Struct, frozen=True):
    """The measurements of a recording.

    Attributes:
        interval: confidence sequence of the keep probability.
        declared: keep probability the caller declares, if any.
        frozen: whether several train outputs are all equal.
    """

    subject: str
    ratios: Ratios
    interval: Interval
    declared: float | None
    replicates: int
    frozen: bool

    @property
    def share(self) -> str:
        """The kept share in words."""
        kept, cells = self.ratios.kept, self.ratios.cells
        share = f"{kept} of {cells} elements kept ({kept / cells:.0%})" if cells else "no element to compare"
        runs = "one train output" if self.replicates == 1 else f"{self.replicates} train outputs"
        return f"{share} in {runs}"


class Judgement(msgspec.Struct, frozen=True):
    """Findings about a recording, the site it shows, and the sentence for people."""

    findings: list[Finding]
    sites: tuple[Site, ...]
    summary: str


def judge_recorded(evidence: RecordedEvidence) -> Judgement:
    """Judge a recording by its scale, which the kept share must not contradict."""
    frozen = [_frozen(evidence)] if evidence.frozen else []
    values = evidence.ratios.values
    if evidence.ratios.cells == 0 or values.size == 0:
        judged = _nothing_kept(evidence)
    elif not is_constant(float(values.min()), float(values.max()), RECORDED_PRECISION):
        judged = _varying(evidence)
    else:
        judged = _constant(evidence, median(values))
    return Judgement(findings=frozen + judged.findings, sites=judged.sites, summary=judged.summary)


def broken_recording(evidence: RecordedEvidence, findings: Sequence[Finding]) -> Judgement:
    """Judge nothing of arrays that hold NaN or infinity: what `findings` say of them comes first."""
    site = Site(name=evidence.subject, family=Family.OTHER, declared_keep_prob=evidence.declared)
    said = " ".join(finding.message for finding in findings)
    return Judgement(findings=[], sites=(site,), summary=f"Nothing was judged. {said} {findings[0].remedy}")


def _constant(evidence: RecordedEvidence, factor: float) -> Judgement:
    nothing_dropped = evidence.ratios.kept == evidence.ratios.cells
    if nothing_dropped and abs(factor - 1) <= RECORDED_PRECISION:
        return _unchanged(evidence)
    declared = evidence.declared
    keep_prob = declared if declared is not None else keep_prob_that_fits(factor, evidence.interval)
    findings = []
    if declared is not None:
        findings += _rate_findings(evidence, declared, factor)
    name = (
        name_factor(factor, keep_prob, RECORDED_PRECISION) if keep_prob is not None and keep_prob < 1 else Factor.OTHER
    )
    if name is not Factor.INVERTED:
        findings.append(_scale_finding(evidence, factor, name, keep_prob))
    family = {Factor.INVERTED: Family.INVERTED, Factor.UNSCALED: Family.UNSCALED}.get(name, Family.OTHER)
    expected = 1 / keep_prob if keep_prob else None
    summary = _healthy_summary(evidence, factor) if not findings else _faulty_summary(evidence, factor, findings)
    return Judgement(findings=findings, sites=(_site(evidence, family, expected),), summary=summary)


def keep_prob_that_fits(factor: float, interval: Interval) -> float | None:
    """Read the keep probability off a factor: the first convention that the kept share does not exclude."""
    readings = [1 / factor, factor**-0.5, 1 - 1 / factor] if factor > 1 else []
    if abs(factor - 1) <= RECORDED_PRECISION:
        readings = [interval.estimate]
    return next((q for q in readings if 0 < q < 1 and not interval.excludes(q)), None)


def _rate_findings(evidence: RecordedEvidence, declared: float, factor: float) -> list[Finding]:
    """Compare the kept share with the declared probability; swapped only where the scale says so too."""
    interval = evidence.interval
    if not interval.excludes(declared):
        return []
    swapped = not interval.excludes(1 - declared) and is_constant(factor * (1 - declared), 1.0, RECORDED_PRECISION)
    return [
        make_finding(
            FindingCode.RATE_SWAPPED if swapped else FindingCode.RATE_MISMATCH,
            evidence.subject,
            message=f"Declared keep probability {declared:g}, but {evidence.share}; the interval "
            f"[{interval.lower:.3f}, {interval.upper:.3f}] excludes it"
            + (f" and contains the drop rate {1 - declared:g}." if swapped else "."),
            remedy="Pass the framework the one that it asks for: some take the drop rate, others the keep probability."
            if swapped
            else "Compare the keep probability in the training configuration with the one given here.",
            declaredKeepProb=declared,
            kept=evidence.ratios.kept,
            cells=evidence.ratios.cells,
            lower=interval.lower,
            upper=interval.upper,
        )
    ]


_SCALE_FINDINGS = {
    Factor.UNSCALED: (FindingCode.SCALE_MISSING, "Divide the kept values by the keep probability at training time."),
    Factor.DOUBLED: (FindingCode.SCALE_DOUBLED, "Remove one of the two places that divide by the keep probability."),
    Factor.SWAPPED: (FindingCode.RATE_SWAPPED, "Divide by the keep probability, not by the drop rate."),
    Factor.OTHER: (FindingCode.SCALE_WRONG, "Divide the kept values by the keep probability and by nothing else."),
}


def _scale_finding(evidence: RecordedEvidence, factor: float, name: Factor, keep_prob: float | None) -> Finding:
    code, remedy = _SCALE_FINDINGS[name]
    wanted = f"inverted dropout asks for 1/q = {1 / keep_prob:.4g}" if keep_prob else "no keep probability explains it"
    meaning = "" if name is Factor.OTHER else f", which is {name.value} at q = {keep_prob:.4g}"
    measured = (
        f"Survivors equal the inference value: they are not scaled at q = {keep_prob:.4g}"
        if name is Factor.UNSCALED
        else f"Survivors are {factor:.4g} times the inference value{meaning}"
    )
    return make_finding(
        code,
        evidence.subject,
        message=f"{measured}; {wanted}.{_what_fits(evidence, factor)}",
        remedy=remedy,
        factor=factor,
        keepProb=keep_prob,
        expected=1 / keep_prob if keep_prob else None,
    )


def _what_fits(evidence: RecordedEvidence, factor: float) -> str:
    """Say which keep probability the numbers do fit, where the declared one does not."""
    fit = 1 / factor if factor > 1 else None
    if evidence.declared is None or fit is None or abs(fit - evidence.declared) < RECORDED_PRECISION:
        return ""
    if evidence.interval.excludes(fit):
        return ""
    return f" The numbers do fit inverted dropout with keep probability {fit:.4g}: {evidence.share}."


def _healthy_summary(evidence: RecordedEvidence, factor: float) -> str:
    return (
        f"Not a bug: survivors are {factor:.3f} times the inference value because this is inverted dropout with keep "
        f"probability {1 / factor:.4g}, which multiplies kept activations by 1/q at training time so that the weights "
        f"stay as they are at test time ({SECTION_10}); {evidence.share}, and the interval "
        f"[{evidence.interval.lower:.2f}, {evidence.interval.upper:.2f}] contains {1 / factor:.4g}."
    )


def _faulty_summary(evidence: RecordedEvidence, factor: float, findings: list[Finding]) -> str:
    codes = " and ".join(f"{finding.code} ({finding.slug})" for finding in findings)
    measured = "equal" if abs(factor - 1) <= RECORDED_PRECISION else f"are {factor:.4g} times"
    return f"Survivors {measured} the inference value, {evidence.share}: {codes}.{_what_fits(evidence, factor)}"


def _unchanged(evidence: RecordedEvidence) -> Judgement:
    declares_dropout = evidence.declared is not None and evidence.declared < 1
    finding = make_finding(
        FindingCode.INERT_SITE if declares_dropout else FindingCode.NO_SITES,
        evidence.subject,
        message=f"The train output equals the inference output: {evidence.share}.",
        remedy="Record the train output with the model in train mode, on the tensor right after its dropout.",
        kept=evidence.ratios.kept,
        cells=evidence.ratios.cells,
    )
    return Judgement(
        findings=[finding],
        sites=(_site(evidence, Family.OTHER, None),),
        summary=f"Nothing was dropped: the train output equals the inference output ({evidence.share}).",
    )


def _nothing_kept(evidence: RecordedEvidence) -> Judgement:
    finding = make_finding(
        FindingCode.INCONCLUSIVE,
        evidence.subject,
        message=f"The scale cannot be read: {evidence.share}.",
        remedy="Record more train outputs, or an input on which the inference output is not zero.",
        kept=evidence.ratios.kept,
        cells=evidence.ratios.cells,
    )
    return Judgement(
        findings=[finding],
        sites=(_site(evidence, Family.OTHER, None),),
        summary=f"Undecided: {evidence.share}, so there is no survivor whose scale could be read.",
    )


def _varying(evidence: RecordedEvidence) -> Judgement:
    """Survivors without a common factor: wrong where elements were dropped, out of sight where none were."""
    values = evidence.ratios.values
    spread = f"between {values.min():.4g} and {values.max():.4g}"
    dropped = evidence.ratios.kept < evidence.ratios.cells
    finding = make_finding(
        FindingCode.SCALE_WRONG if dropped else FindingCode.INCONCLUSIVE,
        evidence.subject,
        message=f"Survivors are {spread} times the inference value, with {evidence.share}; one constant factor was "
        "expected.",
        remedy="Check that both outputs come from the same weights, input and initial state."
        if dropped
        else "Record the tensor right after the dropout: here other operators lie between.",
        min=float(values.min()),
        max=float(values.max()),
        kept=evidence.ratios.kept,
        cells=evidence.ratios.cells,
    )
    summary = (
        f"Survivors have no common factor ({spread}): the two outputs differ by more than dropout."
        if dropped
        else f"Undecided: no element was dropped on this tensor, and train over inference lies {spread}."
    )
    return Judgement(findings=[finding], sites=(_site(evidence, Family.OTHER, None),), summary=summary)


def _frozen(evidence: RecordedEvidence) -> Finding:
    return make_finding(
        FindingCode.FROZEN_MASK,
        evidence.subject,
        message=f"All {evidence.replicates} train outputs are equal: one mask was used for all; fresh masks would "
        "differ.",
        remedy="Draw the mask inside the model at each run; an exporter may have folded it into a constant.",
        replicates=evidence.replicates,
    )


def _site(evidence: RecordedEvidence, family: Family, expected: float | None) -> Site:
    values = evidence.ratios.values
    scale = None
    if values.size:
        low, high = float(values.min()), float(values.max())
        scale = Scale(min=low, median=median(values), max=high, expected=expected)
    return Site(
        name=evidence.subject,
        family=family,
        declared_keep_prob=evidence.declared,
        keep_prob=evidence.interval if evidence.ratios.cells else None,
        scale=scale,
        elements=evidence.ratios.cells if evidence.frozen else evidence.ratios.cells // evidence.replicates,
    )
