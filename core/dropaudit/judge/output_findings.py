"""Findings about outputs: inference against training without its dropout, and the mean in train mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import numpy as np

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.facts.weight_comparison import WeightComparison
from dropaudit.judge.non_finite import non_finite
from dropaudit.judge.undecided import undecided
from dropaudit.measure.cases.reference import Reference, distance
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.plan import Plan, Provider
from dropaudit.report import Attribution, Finding, Interval, Severity
from dropaudit.stats.agreement import agree
from dropaudit.stats.sequential.tests import Outcome
from dropaudit.subjects import Array

# Kernels of two providers round differently; TF32 keeps 11 bits.
PROVIDER_PRECISION = 1e-3
_SAME_OUTPUT = 1e-3
# Two graphs that fold weights in different ways agree to this.
_ROUNDING = 2e-5


def judge_pair(reference: Reference, pair: PairStudy | None, *, alike: bool) -> list[Finding]:
    """DA502 and DA504: inference computes something else than training without its dropout, beyond factors of sites.

    `alike` says whether the two differ by such factors at most; see `Compensations.explain_all`.
    """
    if alike:
        return [_other_weights(name, reference, pair.weights) for name in _worst(reference)] if _differs(pair) else []
    if reference.batch_gaps:
        # Statistics of the batch move the outputs, and the running ones with every export in train mode.
        return []
    noisy = {name for operator in reference.other for name in operator.outputs}
    weights = None if pair is None else pair.weights
    different = weights is not None and bool(weights.different or weights.factors)
    return [
        _other_weights(name, reference, weights) if different and weights else _gap(name, reference)
        for name in reference.outputs
        if name not in noisy
        and not agree(reference.outputs[name], reference.derived[name], _SAME_OUTPUT)
        and bool(np.all(np.isfinite(reference.outputs[name])))
    ]


def _differs(pair: PairStudy | None) -> TypeGuard[PairStudy]:
    """Whether weights differ though the outputs hardly do: by their names, or by more than rounding."""
    if pair is None:
        return False
    return bool(pair.weights.renumbered) or (bool(pair.weights.different) and pair.gap > _ROUNDING)


def _worst(reference: Reference) -> list[str]:
    """Return the output in which inference differs most from the train mode without its dropout."""
    gaps = {name: distance(reference.derived[name], value) for name, value in reference.outputs.items()}
    return [max(gaps, key=lambda name: gaps[name])] if gaps else []


def _gap(name: str, reference: Reference) -> Finding:
    return make_finding(
        FindingCode.DETERMINISTIC_MODE_GAP,
        name,
        message="With every site bypassed, the train mode's output differs from inference by "
        f"{distance(reference.derived[name], reference.outputs[name]):.3g} of its norm, and by no constant "
        "factor; expected 0.",
        remedy="Look for what else depends on the mode: batch statistics, folded weights, a branch taken in one mode.",
        distance=distance(reference.derived[name], reference.outputs[name]),
    )


def _changed(weights: WeightComparison) -> str:
    factors = ", ".join(f"{each:.4g}" for each in weights.factors)
    if not weights.different:
        return f"Weights of the train artifact are multiplied by {factors} in the inference artifact"
    numbers = f"{len(weights.different)} weights of the train artifact have other numbers in the inference artifact"
    return f"{numbers}, others are multiplied by {factors}" if factors else numbers


def _other_weights(name: str, reference: Reference, weights: WeightComparison) -> Finding:
    return make_finding(
        FindingCode.DIFFERENT_WEIGHTS,
        name,
        message=f"{_changed(weights)}, {weights.matched} are the same or differ by one factor; with every site "
        f"bypassed the outputs differ by {distance(reference.derived[name], reference.outputs[name]):.3g} of their "
        "norm, expected 0.",
        remedy="Export both artifacts from one checkpoint.",
        differentWeights=list(weights.different[:8]),
        matchedWeights=weights.matched,
    )


def judge_providers(
    here: Mapping[str, Array], elsewhere: Mapping[str, Array] | None, provider: Provider | None
) -> list[Finding]:
    """DA503: inference outputs of two providers differ by more than 1e-3 of their largest value."""
    if elsewhere is None or provider is None:
        return []
    # An output of another shape there has one that depends on data.
    here = {name: value for name, value in here.items() if name in elsewhere and elsewhere[name].shape == value.shape}
    return [
        make_finding(
            FindingCode.PROVIDER_DISAGREEMENT,
            name,
            message=f"Inference on {provider.value} differs by {distance(elsewhere[name], value):.3g} of the output's "
            f"norm; expected at most {PROVIDER_PRECISION:g} of its largest value in each element.",
            remedy="Find the operator whose kernels differ: compare the outputs layer by layer, without TF32 and with "
            "graph optimizations off.",
            provider=provider.value,
            distance=distance(elsewhere[name], value),
        )
        for name, value in here.items()
        if not agree(value, elsewhere[name], PROVIDER_PRECISION)
    ]


def judge_batch_statistics(reference: Reference, spelled_out: tuple[str, ...]) -> list[Finding]:
    """DA502: outputs that move when a BatchNormalization uses the batch's own statistics.

    Args:
        reference: holds the gap of each output.
        spelled_out: nodes that do the same without the operator.
    """
    return [
        make_finding(
            FindingCode.DETERMINISTIC_MODE_GAP,
            name,
            message=f"Batch statistics in place of running ones move this output by {gap:.3g} of its norm, without any "
            "randomness; expected 0.",
            remedy="Expect this gap while BatchNormalization trains; for inference export with running statistics "
            "(training_mode = 0).",
            distance=gap,
        )
        for name, gap in reference.batch_gaps.items()
    ] + [
        make_finding(
            FindingCode.DETERMINISTIC_MODE_GAP,
            node,
            message="Normalizes with mean and variance over the batch, spelled out in operators: one sample's output "
            "depends on the others, expected running statistics at inference.",
            remedy="Expect a gap between the modes while batch normalization trains; for inference export with "
            "running statistics.",
        )
        for node in spelled_out
    ]


def judge_outputs(
    meters: Meters, linear: Mapping[str, bool], attributions: Mapping[str, tuple[Attribution, ...]], plan: Plan
) -> list[Finding]:
    """DA305 and DA901 of the outputs whose mean is tested, DA501 of all."""
    findings = []
    for meter, _ in meters.outputs:
        if meter.non_finite:
            findings.append(non_finite(meter.name, "train", meter.non_finite))
            continue
        interval = meter.interval
        tested = meter.name in meters.tested_outputs
        if interval is None and tested and (meter.has_reference or meter.moves or meter.spread):
            findings.append(_unmeasured(meter, plan))
        if interval is None or not (tested or meter.name in meters.noted_outputs):
            continue
        outcome = meter.test.outcome(interval)
        if outcome is Outcome.OUTSIDE:
            causes = attributions.get(meter.name, ())
            findings.append(_shift(meter.name, interval, linear[meter.name], causes, plan))
        elif outcome is Outcome.OPEN and tested:
            quantity = f"scale factor (expected: 1 within {plan.tolerance:g})"
            findings.append(undecided(meter.name, quantity, interval, meter.test))
    return findings


def _shift(name: str, interval: Interval, linear: bool, causes: tuple[Attribution, ...], plan: Plan) -> Finding:
    between = "only linear operators lie" if linear else "operators that are not linear lie"
    return make_finding(
        FindingCode.MEAN_SHIFT,
        name,
        severity=None if linear else Severity.INFO,
        message=f"The output's scale factor in train mode is {interval}; expected 1 within {plan.tolerance:g}, and "
        f"{between} between the sites and this output.{_main_cause(causes)}",
        remedy="Correct the scale of the sites before it."
        if linear
        else "Nothing is wrong with the scaling: the mean after a non-linear operator moves with the noise before it. "
        "Judge by the sites, and expect this gap between train and inference.",
        estimate=interval.estimate,
        lower=interval.lower,
        upper=interval.upper,
        tolerance=plan.tolerance,
        linear=linear,
        site=max(causes, key=lambda cause: abs(cause.mean_gap_alone)).site if causes else None,
    )


def _unmeasured(meter: OutputMeter, plan: Plan) -> Finding:
    if meter.has_reference:
        why = f"{plan.max_replicates} replicates are too few to estimate it"
        remedy = "Allow more replicates, or audit a larger input."
    else:
        why = "its inference-mode values are zero, or no larger than what rounding leaves of the train mode's"
        remedy = "Audit with inputs for which the output is not zero."
    return make_finding(
        FindingCode.INCONCLUSIVE,
        meter.name,
        message=f"The scale factor of this output was not measured: {why}.",
        remedy=remedy,
    )


def unmeasured_output(name: str, why: str) -> Finding:
    """DA901 about an output whose values cannot be compared."""
    return make_finding(
        FindingCode.INCONCLUSIVE,
        name,
        message=f"The scale factor of this output was not measured: {why}.",
        remedy="Judge by the sites before it; or export the model with an output whose shape depends neither on data "
        "nor on the mode, and has elements.",
    )


def _main_cause(causes: tuple[Attribution, ...]) -> str:
    if not causes:
        return ""
    first = max(causes, key=lambda cause: abs(cause.mean_gap_alone))
    return f" Site {first.site!r} alone moves it by {first.mean_gap_alone:+.3g}, the most of {len(causes)}."
