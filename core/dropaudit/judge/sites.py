"""What the measured rate and scale of a site mean."""

from __future__ import annotations

from dataclasses import dataclass

from dropaudit.findings import make_finding
from dropaudit.graph.site import GraphSite
from dropaudit.measure.meters import SiteMeter
from dropaudit.report import Family, Finding, Interval
from dropaudit.stats.scale import Factor, name_factor

FACTOR_AT_INFERENCE_PRECISION = 1e-3


@dataclass(frozen=True, slots=True)
class Compensation:
    """Constant factor of the inference artifact's outputs over the train artifact's with its sites bypassed.

    1 where nothing was compensated, and for a single artifact; None where the two differ by more than a factor.
    """

    factor: float | None = 1.0

    def is_near(self, value: float) -> bool:
        """Whether the factor is `value`, at the precision two graphs agree to."""
        return self.factor is not None and abs(self.factor / value - 1) <= FACTOR_AT_INFERENCE_PRECISION


@dataclass(frozen=True, slots=True)
class MeasuredSite:
    """A site with what was measured of it."""

    site: GraphSite
    meter: SiteMeter

    @property
    def keep_prob(self) -> float:
        """Keep probability to judge the scale by: the graph's, else the caller's, else the measured one."""
        for declared in (self.site.declared_keep_prob, self.meter.keep_prob):
            if declared is not None:
                return declared
        return self.meter.interval.estimate

    @property
    def factor_name(self) -> Factor:
        """Name of the measured factor; OTHER where it varies or cannot be compared."""
        factor, q = self.meter.factor, self.keep_prob
        if factor is None or not 0 < q < 1:
            return Factor.OTHER
        return name_factor(factor, q, self.meter.precision)

    @property
    def family(self) -> Family:
        """What the site does to what it keeps."""
        return {Factor.INVERTED: Family.INVERTED, Factor.UNSCALED: Family.UNSCALED}.get(self.factor_name, Family.OTHER)


def judge_site(measured: MeasuredSite, compensation: Compensation) -> list[Finding]:
    """Judge rate and scale of one site."""
    return _judge_rate(measured) + _judge_scale(measured, compensation)


def _judge_rate(measured: MeasuredSite) -> list[Finding]:
    meter = measured.meter
    interval = meter.interval
    if meter.keep_prob is None or meter.agrees(interval):
        return []
    if not meter.refutes(interval):
        return [_undecided_rate(meter, interval)]
    if meter.cells and meter.kept == meter.cells:
        return [_inert(measured)]
    swapped = not interval.excludes(1 - meter.keep_prob)
    meaning = f" and is the drop rate {1 - meter.keep_prob:.4g}" if swapped else ""
    return [
        make_finding(
            "DA202" if swapped else "DA201",
            meter.name,
            message=f"Keeps {interval} of its elements (measured over {meter.cells} mask cells), but keep probability "
            f"{meter.keep_prob:.4g} is declared: the interval excludes it{meaning}.",
            remedy="Exchange keep probability and drop rate where the mask is made: a framework's argument is the one "
            "or the other."
            if swapped
            else "Make the declared keep probability and the one that the graph applies the same.",
            declaredKeepProb=meter.keep_prob,
            estimate=interval.estimate,
            lower=interval.lower,
            upper=interval.upper,
        )
    ]


def _inert(measured: MeasuredSite) -> Finding:
    meter = measured.meter
    return make_finding(
        "DA101",
        meter.name,
        message=f"Declares keep probability {meter.keep_prob:.4g}, but kept all of {meter.cells} mask cells in train "
        "mode.",
        remedy="Export with the module in train mode, so that the site's training_mode is true.",
        declaredKeepProb=meter.keep_prob,
        cells=meter.cells,
    )


def _undecided_rate(meter: SiteMeter, interval: Interval) -> Finding:
    width = max((interval.upper - interval.lower) / 0.01, 1.0)
    return make_finding(
        "DA901",
        meter.name,
        message=f"Keep rate {interval} after {meter.cells} mask cells neither confirms nor refutes "
        f"{meter.keep_prob:.4g}.",
        remedy=f"Allow about {width * width:.0f} times as many replicates, or audit a larger input.",
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
        factorMore=width * width,
    )


def _judge_scale(measured: MeasuredSite, compensation: Compensation) -> list[Finding]:
    name, meter = measured.factor_name, measured.meter
    if meter.scale.empty:
        return []
    if meter.factor is None:
        return [_varying(meter)]
    if name is Factor.INVERTED:
        return _judge_inverted(measured, compensation)
    if name is Factor.UNSCALED:
        return [_judge_unscaled(measured, compensation)]
    code, remedy = {
        Factor.DOUBLED: ("DA302", "Remove one of the two places that divide by the keep probability."),
        Factor.SWAPPED: ("DA202", "Divide by the keep probability, not by the drop rate."),
        Factor.OTHER: ("DA303", "Divide kept values by the keep probability and by nothing else."),
    }[name]
    meaning = "" if name is Factor.OTHER else f", which is {name.value}"
    return [_scale_finding(code, measured, f"Multiplies kept values by {meter.factor:.6g}{meaning}", remedy)]


def _judge_inverted(measured: MeasuredSite, compensation: Compensation) -> list[Finding]:
    """Kept values are divided by q: nothing may be done about it at inference."""
    q = measured.keep_prob
    if compensation.factor is None or compensation.is_near(1.0):
        return []
    twice = compensation.is_near(q) or compensation.is_near(1 / q)
    return [
        make_finding(
            "DA302" if twice else "DA303",
            measured.site.name,
            message=f"Kept values are divided by q = {q:.4g} at training, and the inference artifact multiplies by "
            f"{compensation.factor:.6g} on top; expected 1.",
            remedy="Remove the factor from the inference artifact, or the division from the train artifact.",
            inferenceFactor=compensation.factor,
            keepProb=q,
        )
    ]


def _judge_unscaled(measured: MeasuredSite, compensation: Compensation) -> Finding:
    """Kept values are left alone: inference must multiply by q."""
    q = measured.keep_prob
    if compensation.is_near(q):
        return make_finding(
            "DA304",
            measured.site.name,
            message="Kept values are not scaled at training, and the inference artifact multiplies by "
            f"q = {q:.4g}: the paper's first form, consistent.",
            remedy="Nothing to change; survivors are 1/q times the inference outputs, and that is right.",
            inferenceFactor=compensation.factor,
            keepProb=q,
        )
    return _scale_finding(
        "DA301",
        measured,
        "Leaves kept values unscaled (factor 1), and nothing at inference makes up for it",
        "Divide kept values by the keep probability at training; or multiply by it at inference, and audit the pair.",
    )


def _scale_finding(code: str, measured: MeasuredSite, statement: str, remedy: str) -> Finding:
    q, meter = measured.keep_prob, measured.meter
    expected = 1 / q if q else float("inf")
    return make_finding(
        code,
        measured.site.name,
        message=f"{statement}; expected 1/q = {expected:.6g} at keep probability {q:.4g}, measured keep rate "
        f"{meter.interval}.",
        remedy=remedy,
        factor=meter.factor,
        expected=expected,
        keepProb=q,
    )


def _varying(meter: SiteMeter) -> Finding:
    return make_finding(
        "DA901",
        meter.name,
        message=f"Output over input of kept elements varies from {meter.scale.lowest:.4g} to "
        f"{meter.scale.highest:.4g}: this is not a constant scale, and its law is not known to the audit.",
        remedy="Check by hand which law the site is meant to follow.",
        min=meter.scale.lowest,
        max=meter.scale.highest,
    )


def unmeasured_site(site: GraphSite) -> Finding:
    """DA901 about a site in the body of a control-flow operator, which is seen only through the outputs."""
    return make_finding(
        "DA901",
        site.name,
        message=f"This site lies in the body {site.path_text!r}; its rate and scale were not measured one by one.",
        remedy="Judge by the outputs, or export the model with its recurrence unrolled.",
        path=site.path_text,
    )
