"""What the structure of the artifacts and a default session say about the two modes."""

from __future__ import annotations

import numpy as np

from dropaudit.findings import make_finding
from dropaudit.graph.frozen import frozen_weights
from dropaudit.graph.linear import without_effect
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case, Model, is_active, is_frozen
from dropaudit.measure.reference import REPRODUCIBLE, Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Implementation, Severity


def judge_presence(model: Model) -> list[Finding]:
    """DA101 and DA105: sites that cannot drop, or none at all."""
    findings = [_inert(site) for site in model.inert] if model.role is Role.TRAIN else []
    if model.role is not Role.INFERENCE:
        findings += [_without_effect(site) for site in without_effect(model.scopes, model.active)]
    if model.active or findings or model.role is Role.INFERENCE or frozen_weights_of(model):
        return findings
    return [
        make_finding(
            "DA105",
            model.proto.graph.name or "model",
            severity=Severity.ERROR if model.role is Role.TRAIN else None,
            message="The graph has no dropout that could be active: 0 sites, at least 1 expected.",
            remedy="Export in train mode and keep the exporter from removing dropout.",
            sites=0,
        )
    ]


def frozen_weights_of(model: Model) -> list[GraphSite]:
    """Return weights that hold a frozen mask; only in role train, since a pruned weight looks the same."""
    return frozen_weights(model.scope) if model.role is Role.TRAIN else []


def _inert(site: GraphSite) -> Finding:
    return make_finding(
        "DA101",
        site.name,
        message=f"Declares drop rate {_drop_rate(site)}, but never drops: its training_mode is false, or its opset has "
        "no train mode.",
        remedy="Export with the module in train mode, at opset 12 or later.",
        declaredKeepProb=site.declared_keep_prob,
    )


def _without_effect(site: GraphSite) -> Finding:
    return make_finding(
        "DA101",
        site.name,
        message=f"Declares drop rate {_drop_rate(site)}, but no output depends on its result: the model computes a "
        "mask and goes on with what was not masked.",
        remedy="Use the result of the dropout: the call returns a tensor and changes none.",
        declaredKeepProb=site.declared_keep_prob,
    )


def _drop_rate(site: GraphSite) -> str:
    return "unknown" if site.declared_keep_prob is None else f"{1 - site.declared_keep_prob:.4g}"


def judge_frozen(model: Model) -> list[Finding]:
    """DA401: masks that are constants of the graph."""
    masks = [
        _frozen(
            site,
            f"Multiplies by the constant {site.mask!r}, zeros and one other value in no order: the same mask in every "
            "run.",
        )
        for site in model.sites
        if is_frozen(site)
    ]
    weights = [
        _frozen(
            site,
            f"The weight {site.mask!r} holds exact zeros all over its rows and columns, as dropout on a weight leaves "
            "when it is computed once, and no operator draws a mask for it; a pruned weight looks the same.",
        )
        for site in frozen_weights_of(model)
    ]
    return masks + weights


def _frozen(site: GraphSite, message: str) -> Finding:
    return make_finding(
        "DA401",
        site.name,
        message=message,
        remedy="Make the mask from the data's shape at run time, or use the Dropout operator; an exporter folds a mask "
        "made from constants.",
        mask=site.mask,
    )


def judge_inference(model: Model, reference: Reference) -> list[Finding]:
    """DA103: sites that still drop in an artifact meant for inference, or that a mode switch does not reach."""
    if model.role is Role.INFERENCE:
        sites = () if reference.served_as_bypassed else model.active
    elif model.role is Role.TRAIN and model.switches:
        sites = tuple(site for site in model.plain_sites if is_active(site, Role.INFERENCE))
    else:
        sites = ()
    return [_still_drops(site, len(sites)) for site in sites if not is_frozen(site)]


def _still_drops(site: GraphSite, count: int) -> Finding:
    return make_finding(
        "DA103",
        site.name,
        message=f"Still drops at inference: it declares drop rate {_drop_rate(site)} and is switched on by "
        f"{site.switch.value}; expected no active site, found {count}.",
        remedy="Export the model in evaluation mode; in PyTorch pass training=self.training to functional dropout.",
        declaredKeepProb=site.declared_keep_prob,
        implementation=site.implementation.value,
    )


def judge_removed(model: Model) -> list[Finding]:
    """DA102: Dropout operators that a default session of the runtime deletes."""
    operators = [site for site in model.active if site.implementation is Implementation.DROPOUT_OP]
    removed = [site for site in operators if site.maker not in model.surviving]
    names = [site.name for site in removed]
    extent = "all" if len(removed) == len(model.active) else "a part"
    return [
        make_finding(
            "DA102",
            site.name,
            message="A default session of ONNX Runtime deletes this site although it is switched on: "
            f"{len(removed)} of {len(model.active)} active sites are gone, {extent} of the dropout.",
            remedy='Create the session with disabled_optimizers=["EliminateDropout"] where dropout is wanted; where it '
            "is not, export in evaluation mode.",
            removed=names,
            activeSites=len(model.active),
        )
        for site in removed
    ]


def judge_reference(case: Case, reference: Reference) -> list[Finding]:
    """DA104 and DA501 of the inference outputs."""
    findings = []
    for name, value in reference.outputs.items():
        broken = int(np.count_nonzero(~np.isfinite(value)))
        if broken:
            findings.append(non_finite(name, "inference", broken))
    return findings + [_not_reproducible(case, name) for name in sorted(reference.unstable)]


def _not_reproducible(case: Case, name: str) -> Finding:
    """Noise that is left when all known sites are bypassed: an error at inference, a limit of the audit at training."""
    at_inference = case.inference is not None or case.model.role is Role.INFERENCE
    return make_finding(
        "DA104" if at_inference else "DA901",
        name,
        message=f"Two inference-mode runs on one input differ by more than {REPRODUCIBLE:g} although every known "
        "dropout site was bypassed: the graph holds other random operators.",
        remedy="Look for random operators in the graph and remove those that inference should not have."
        if at_inference
        else "The audit does not know these random operators as dropout; check them by hand.",
    )


def non_finite(name: str, mode: str, count: int) -> Finding:
    """DA501 about one output."""
    return make_finding(
        "DA501",
        name,
        message=f"{count} values of the {mode} output are NaN or infinite; all should be finite.",
        remedy="Find the first layer whose output is not finite; 0 * infinity under a mask is a usual cause.",
        mode=mode,
        nonFinite=count,
    )
