"""What the outputs say: the factor between the two artifacts of a pair, and the mean in train mode."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from dropaudit.findings import make_finding
from dropaudit.judge.modes import non_finite
from dropaudit.judge.sites import Compensation
from dropaudit.measure.meters import OutputMeter
from dropaudit.measure.reference import Reference
from dropaudit.plan import Plan
from dropaudit.report import Finding, Interval, Severity
from dropaudit.subjects import Array, float_array

_RESIDUAL = 1e-3


def compensation_of(reference: Reference) -> Compensation:
    """Return the constant factor between the inference artifact and the bypassed train artifact, over all outputs."""
    factors = [_factor(reference.outputs[name], reference.derived[name]) for name in reference.outputs]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors) or not known:
        return Compensation(None)
    # An output that no site reaches has factor 1 and says nothing about the others.
    return Compensation(max(known, key=lambda factor: abs(math.log(factor))))


def _factor(inference: Array, derived: Array) -> float | None:
    """Return f where inference = f * derived within 1e-3, None where they differ otherwise."""
    y, x = float_array(inference).ravel(), float_array(derived).ravel()
    norm = float(x @ x)
    if not math.isfinite(norm) or not np.all(np.isfinite(y)):
        return None
    if norm == 0:
        return 1.0 if not y.any() else None
    factor = float(x @ y) / norm
    residual = float(np.linalg.norm(y - factor * x)) / math.sqrt(norm)
    return factor if factor > 0 and residual <= _RESIDUAL * max(1.0, factor) else None


def judge_pair(reference: Reference, compensation: Compensation) -> list[Finding]:
    """DA502: the inference artifact computes something else than the train artifact without its dropout."""
    if compensation.factor is not None:
        return []
    return [
        make_finding(
            "DA502",
            name,
            message="With every site bypassed, the train artifact's output differs from the inference artifact's by "
            f"{_distance(reference.outputs[name], reference.derived[name]):.3g} of its norm, and by no constant "
            "factor; expected 0.",
            remedy="Export both artifacts from the same weights; batch statistics and folded weights also differ so.",
        )
        for name in reference.outputs
        if _factor(reference.outputs[name], reference.derived[name]) is None
    ]


def _distance(inference: Array, derived: Array) -> float:
    y, x = float_array(inference).ravel(), float_array(derived).ravel()
    return float(np.linalg.norm(y - x)) / (float(np.linalg.norm(x)) or 1.0)


def judge_outputs(meters: Mapping[str, OutputMeter], linear: Mapping[str, bool], plan: Plan) -> list[Finding]:
    """DA305, DA501 and DA901 of the outputs that sites reach."""
    findings = []
    for name, straight in linear.items():
        meter = meters.get(name)
        if meter is None:
            continue
        if meter.non_finite:
            findings.append(non_finite(name, "train", meter.non_finite))
            continue
        interval = meter.interval
        if interval is None or meter.agrees(interval):
            continue
        refuted = meter.refutes(interval)
        findings.append(_shift(name, interval, straight, plan) if refuted else _undecided(meter, interval, plan))
    return findings


def _shift(name: str, interval: Interval, linear: bool, plan: Plan) -> Finding:
    between = "only linear operators lie" if linear else "operators that are not linear lie"
    return make_finding(
        "DA305",
        name,
        severity=Severity.ERROR if linear else Severity.WARNING,
        message=f"The output's scale factor in train mode is {interval}; expected 1 within {plan.tolerance:g}, and "
        f"{between} between the sites and this output.",
        remedy="Correct the scale of the sites before it."
        if linear
        else "Nothing is wrong with the scaling: the mean after a non-linear operator moves with the noise before it. "
        "Judge by the sites, and expect this gap between train and inference.",
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
        tolerance=plan.tolerance,
        linear=linear,
    )


def _undecided(meter: OutputMeter, interval: Interval, plan: Plan) -> Finding:
    """The width of the interval falls as 1/sqrt(t): say how much further it must fall."""
    half_width = (interval.upper - interval.lower) / 2
    room = abs(plan.tolerance - abs(interval.estimate - 1))
    more = (half_width / room) ** 2 if room > 0 else math.inf
    advice = f"Allow about {more:.1f} times as many replicates" if more < 1e6 else "Choose another tolerance"
    return make_finding(
        "DA901",
        meter.name,
        message=f"Scale factor {interval} neither stays within 1 ± {plan.tolerance:g} nor leaves it at the replicate "
        "limit.",
        remedy=f"{advice}, or audit a larger input.",
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
        factorMore=more if math.isfinite(more) else None,
    )
