"""Findings about a site's measured rate and scale."""

from __future__ import annotations

from collections.abc import Collection

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.compensation import Compensation
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.judge.undecided import undecided
from dropaudit.measure.by_feature.meter import RatesMeter
from dropaudit.measure.meters.site_meters import MaskMeter, NoiseMeter
from dropaudit.report import Finding, Implementation, Interval
from dropaudit.stats.scale import Factor
from dropaudit.stats.sequential.tests import Outcome


def judge_site(measured: MeasuredSite, compensation: Compensation, reaching: Collection[str] = ()) -> list[Finding]:
    """Judge rate and scale of one site.

    Args:
        measured: the site.
        compensation: what inference does about its scale.
        reaching: random operators that reach an output in other ways than through sites: where the site is drawn by
            one, as in DropBlock, which rescales by what its mask has kept, its factor alone says nothing.
    """
    if measured.is_unmeasured:
        return [_unmeasured(measured)]
    if isinstance(measured.meter, NoiseMeter):
        return _judge_noise(measured, measured.meter, compensation)
    assert isinstance(measured.meter, MaskMeter)
    site = measured.site
    if site.other is not None or site.uneven or measured.is_scale_free or site.maker in reaching:
        differing = _judge_bernoulli(measured, measured.meter) if site.other is not None else []
        return differing + _judge_rate(measured.meter)
    if isinstance(measured.meter, RatesMeter):
        return _judge_rate(measured.meter) + _judge_rates(measured, compensation)
    if measured.follows:
        return _judge_scale(measured, measured.meter, compensation)
    if _scales_all(measured):
        return [_inert_scale(measured, measured.meter)]
    bernoulli = _judge_bernoulli(measured, measured.meter)
    found = _judge_rate(measured.meter)
    if all(each.code != FindingCode.INERT_SITE for each in found):
        # What never drops needs no scale, so that none is missing or wrong.
        found += _judge_scale(measured, measured.meter, compensation)
    # A scale that is right by the standard is one finding, not two.
    return bernoulli + [each for each in found if each.code not in {other.code for other in bernoulli}]


def _judge_bernoulli(measured: MeasuredSite, meter: MaskMeter) -> list[Finding]:
    """DA408, and DA202: the runtime draws the operator Bernoulli the other way round than the standard says.

    A mask whose scale is right for what it drops was written by the standard, and keeps what it should drop.
    """
    standard = measured.site.declared_keep_prob
    turned = measured.site.implementation is Implementation.BERNOULLI and standard is not None
    if not turned or standard is None or not meter.interval.excludes(standard):
        return []
    differs = make_finding(
        FindingCode.RUNTIME_DIFFERS_FROM_STANDARD,
        meter.name,
        message=f"ONNX Runtime keeps {meter.interval} here, and the standard's Bernoulli would keep {standard:.4g}: "
        "what is right as run is wrong on another runtime, or the other way round.",
        remedy="Draw the mask by RandomUniformLike and a comparison, or use the operator Dropout.",
        standardKeepProb=standard,
        estimate=meter.interval.estimate,
    )
    if measured.factor_name is not Factor.SWAPPED or meter.keep_prob is not None:
        return [differs]
    return [differs, _rate_finding(meter.name, standard, meter.interval, meter.cells, swapped=True)]


# Cells of which at least one would have been dropped at any rate worth declaring.
_ENOUGH_CELLS = 1000


def _scales_all(measured: MeasuredSite) -> bool:
    """Whether a site without a declared rate keeps everything, and scales it nevertheless."""
    meter = measured.meter
    if not isinstance(meter, MaskMeter):
        return False
    # Cells that share draws are fewer than they look, unless a threshold says that they are all kept.
    cells = meter.cells if measured.site.keep_prob_as_run == 1 else meter.independent_cells
    never = meter.kept == meter.cells and cells >= _ENOUGH_CELLS
    return never and meter.keep_prob is None and measured.factor is not None and abs(measured.factor - 1) > 1e-6


def _inert_scale(measured: MeasuredSite, meter: MaskMeter) -> Finding:
    return make_finding(
        FindingCode.INERT_SITE,
        meter.name,
        message=f"Draws a mask that kept all of {meter.cells} cells, and multiplies by {measured.factor:.6g} all the "
        "same; a mask that never drops needs no scale.",
        remedy="Correct the threshold that the draw is compared with.",
        cells=meter.cells,
        factor=measured.factor,
    )


def _unmeasured(measured: MeasuredSite) -> Finding:
    return make_finding(
        FindingCode.INCONCLUSIVE,
        measured.meter.name,
        message="Keep rate and scale of this site were not measured: the data that reaches it is zero.",
        remedy="Audit with inputs for which it is not, such as a sequence of more steps.",
    )


def _judge_noise(measured: MeasuredSite, meter: NoiseMeter, compensation: Compensation) -> list[Finding]:
    """Gaussian dropout multiplies by N(1, p/q): its mean is 1, and its spread says how much is dropped."""
    mean, interval = meter.mean, meter.interval
    if mean is None or interval is None:
        return []
    findings = []
    outcome = meter.test.outcome(mean)
    if outcome is Outcome.OUTSIDE:
        findings.append(_mean_finding(measured, mean))
    elif outcome is Outcome.OPEN:
        findings.append(undecided(meter.name, "mean factor", mean, meter.test))
    if compensation.factor is not None and not compensation.is_near(1.0):
        findings.append(_further_factor(measured, compensation))
    declared = meter.keep_prob
    if declared is not None and interval.excludes(declared):
        findings.append(_rate_finding(meter.name, declared, interval, meter.cells, swapped=False))
    return findings


def _mean_finding(measured: MeasuredSite, mean: Interval) -> Finding:
    return make_finding(
        FindingCode.SCALE_WRONG,
        measured.site.name,
        message=f"Multiplies by noise of mean {mean}; Gaussian dropout asks for 1.",
        remedy="Draw the noise around 1: N(1, p/q).",
        factor=mean.estimate,
        lower=mean.lower,
        upper=mean.upper,
        expected=1.0,
    )


def _judge_rate(meter: MaskMeter) -> list[Finding]:
    interval, declared = meter.interval, meter.keep_prob
    outcome = meter.test.outcome(interval)
    if meter.cells == 0 or outcome is Outcome.INSIDE:
        return []
    if declared is None or outcome is Outcome.OPEN:
        return [undecided(meter.name, "keep rate", interval, meter.test)]
    if meter.kept == meter.cells:
        return [_inert(meter, declared)]
    swapped = not interval.excludes(1 - declared)
    return [_rate_finding(meter.name, declared, interval, meter.cells, swapped=swapped)]


def _rate_finding(name: str, declared: float, interval: Interval, cells: int, *, swapped: bool) -> Finding:
    meaning = f" and contains the drop rate {1 - declared:.4g}" if swapped else ""
    return make_finding(
        FindingCode.RATE_SWAPPED if swapped else FindingCode.RATE_MISMATCH,
        name,
        message=f"Keeps {interval} of its elements (measured over {cells} mask cells), but keep probability "
        f"{declared:.4g} is declared: the interval excludes it{meaning}.",
        remedy="Exchange keep probability and drop rate where the mask is made: a framework's argument is the one "
        "or the other, and ONNX Runtime's Bernoulli keeps what it should drop."
        if swapped
        else "Make the declared keep probability and the one that the graph applies the same.",
        declaredKeepProb=declared,
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
    )


def _inert(meter: MaskMeter, declared: float) -> Finding:
    return make_finding(
        FindingCode.INERT_SITE,
        meter.name,
        message=f"Declares keep probability {declared:.4g}, but kept all of {meter.cells} mask cells in train mode.",
        remedy="Export with the module in train mode, so that the site's training_mode is true.",
        declaredKeepProb=declared,
        cells=meter.cells,
    )


_FAULTS = {
    Factor.DOUBLED: (FindingCode.SCALE_DOUBLED, "Remove one of the two places that divide by the keep probability."),
    Factor.SWAPPED: (FindingCode.RATE_SWAPPED, "Divide by the keep probability, not by the drop rate."),
    Factor.OTHER: (FindingCode.SCALE_WRONG, "Divide kept values by the keep probability and by nothing else."),
}


def _judge_scale(measured: MeasuredSite, meter: MaskMeter, compensation: Compensation) -> list[Finding]:
    name, factor = measured.factor_name, meter.factor
    if meter.scale.empty:
        return []
    if factor is None:
        return [_varying(meter)]
    if measured.is_shifted:
        return [] if measured.is_alpha else [_wrong_alpha(measured, factor)]
    if name is not Factor.INVERTED and measured.is_made_up_for(compensation):
        return [_classic(measured, compensation)] if name is Factor.UNSCALED else []
    if name is Factor.INVERTED:
        further = compensation.factor is not None and not compensation.is_near(1.0)
        return [_further_factor(measured, compensation)] if further else []
    if name is Factor.UNSCALED:
        return [_unscaled(measured, compensation)]
    code, remedy = _FAULTS[name]
    meaning = "" if name is Factor.OTHER else f", which is {name.value}"
    return [_scale_finding(code, measured, f"Multiplies kept values by {factor:.6g}{meaning}", remedy)]


def _judge_rates(measured: MeasuredSite, compensation: Compensation) -> list[Finding]:
    """Judge the scale of a mask whose elements have rates of their own."""
    name, made_up_for = measured.factor_name, compensation.factor is not None and not compensation.is_near(1.0)
    if name is Factor.INVERTED:
        return [_further_factor(measured, compensation)] if made_up_for else []
    if name is Factor.UNSCALED:
        return [_unscaled(measured, compensation)]
    code, remedy = _FAULTS[name]
    by = "a factor that its own q does not explain" if name is Factor.OTHER else f"{name.value} of its own q"
    return [_scale_finding(code, measured, f"Multiplies what it keeps of each feature by {by}", remedy)]


def _further_factor(measured: MeasuredSite, compensation: Compensation) -> Finding:
    """Kept values are right at training already: nothing may be done about them at inference."""
    q, factor = measured.keep_prob, compensation.factor
    twice = factor is not None and (measured.may_be_kept_rate(factor) or measured.may_be_kept_rate(1 / factor))
    return make_finding(
        FindingCode.SCALE_DOUBLED if twice else FindingCode.SCALE_WRONG,
        measured.site.name,
        message=f"The train artifact preserves the mean at q = {q:.4g} already, and the inference artifact multiplies "
        f"by {compensation.factor:.6g} on top; expected 1.",
        remedy="Remove the factor from the inference artifact, or the division from the train artifact.",
        inferenceFactor=compensation.factor,
        keepProb=q,
    )


def _classic(measured: MeasuredSite, compensation: Compensation) -> Finding:
    q = measured.keep_prob
    return make_finding(
        FindingCode.CLASSIC_SCALING,
        measured.site.name,
        message="Kept values are not scaled at training, and inference multiplies by "
        f"{compensation.factor:.6g}, expected q = {q:.4g}: the paper's first form, consistent.",
        remedy="Nothing to change; survivors are 1/q times the inference outputs, and that is right.",
        inferenceFactor=compensation.factor,
        keepProb=q,
    )


def _unscaled(measured: MeasuredSite, compensation: Compensation) -> Finding:
    if compensation.factor is None or compensation.is_near(1.0):
        # What is different at inference may be a factor too, of weights: that nothing is done would contradict DA504.
        undone = "nothing at inference makes up for it"
        if compensation.factor is None:
            undone = "the other differences at inference do not make up for it"
        return _scale_finding(
            FindingCode.SCALE_MISSING,
            measured,
            f"Leaves kept values unscaled (factor 1), and {undone}",
            "Divide kept values by the keep probability at training; or multiply by it at inference, and audit both.",
        )
    return _scale_finding(
        FindingCode.SCALE_WRONG,
        measured,
        f"Leaves kept values unscaled, and inference multiplies by {compensation.factor:.6g}, not by q",
        "Multiply by the keep probability at inference, or divide by it at training.",
    )


def _wrong_alpha(measured: MeasuredSite, factor: float) -> Finding:
    law, right = measured.site.law, alpha_law(measured.keep_prob)
    assert law is not None
    return _scale_finding(
        FindingCode.SCALE_WRONG,
        measured,
        f"Makes {factor:.6g} x + {law.shift:.6g} of kept values and {law.dropped:.6g} of dropped ones; alpha dropout "
        f"asks for {right.slope:.6g} x + {right.shift:.6g} and {right.dropped:.6g}",
        "Use the framework's alpha dropout, whose a and b follow from the keep probability.",
    )


def _scale_finding(code: FindingCode, measured: MeasuredSite, statement: str, remedy: str) -> Finding:
    q, interval = measured.keep_prob, measured.meter.interval
    shifted = measured.is_shifted and 0 < q < 1
    expected = alpha_law(q).slope if shifted else 1 / q if q else float("inf")
    asked = f"{'a' if shifted else '1/q'} = {expected:.6g}"
    return make_finding(
        code,
        measured.site.name,
        message=f"{statement}; expected {asked} at keep probability {q:.4g}, measured keep rate {interval}.",
        remedy=remedy,
        factor=measured.factor,
        expected=expected,
        keepProb=q,
    )


def _varying(meter: MaskMeter) -> Finding:
    return make_finding(
        FindingCode.INCONCLUSIVE,
        meter.name,
        message=f"Output over input of kept elements varies from {meter.scale.lowest:.4g} to "
        f"{meter.scale.highest:.4g}: this is not a constant scale, and its law is not known to the audit.",
        remedy="Check by hand which law the site is meant to follow.",
        min=meter.scale.lowest,
        max=meter.scale.highest,
    )


def unmeasured_site(site: GraphSite, why: str | None = None) -> Finding:
    """DA901 about a site that cannot be measured; without a reason, since its branch is chosen at random."""
    if why is not None:
        return make_finding(
            FindingCode.INCONCLUSIVE,
            site.name,
            message=f"Keep rate and scale of this site were not measured: {why}.",
            remedy="Audit with inputs of other extents, or export the model so that the shapes around the "
            "site do not depend on data.",
        )
    return make_finding(
        FindingCode.INCONCLUSIVE,
        site.name,
        message=f"This site lies in the body {site.path_text!r}; its rate and scale were not measured one by one.",
        remedy="Judge by the outputs, or export the model without the branch around it.",
        path=site.path_text,
    )
