"""What the structure of the artifacts and a default session say about the two modes."""

from __future__ import annotations

import numpy as np

from dropaudit.findings import make_finding
from dropaudit.graph.scope import main_scope
from dropaudit.graph.site import GraphSite
from dropaudit.graph.two_point import MOVES
from dropaudit.measure.case import Case, Model, is_frozen
from dropaudit.measure.reference import Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Implementation, Severity
from dropaudit.stats.agreement import agree

_REPRODUCIBLE = 1e-5


def judge_presence(model: Model) -> list[Finding]:
    """DA101 and DA105: sites that cannot drop, or none at all."""
    findings = [_inert(site) for site in model.inert] if model.role is Role.TRAIN else []
    if model.active or findings or model.role is Role.INFERENCE:
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


def _inert(site: GraphSite) -> Finding:
    return make_finding(
        "DA101",
        site.name,
        message=f"Declares drop rate {_drop_rate(site)}, but never drops: its training_mode is false, or its opset has "
        "no train mode.",
        remedy="Export with the module in train mode, at opset 12 or later.",
        declaredKeepProb=site.declared_keep_prob,
    )


def _drop_rate(site: GraphSite) -> str:
    return "unknown" if site.declared_keep_prob is None else f"{1 - site.declared_keep_prob:.4g}"


def judge_frozen(model: Model) -> list[Finding]:
    """DA401: masks that are constants of the graph."""
    return [
        make_finding(
            "DA401",
            site.name,
            message=f"Multiplies by the constant {site.mask!r}, zeros and one other value in no order: the same mask "
            "in every run.",
            remedy="Make the mask from the data's shape at run time, or use the Dropout operator; an exporter folds a "
            "mask made from constants.",
            mask=site.mask,
        )
        for site in model.sites
        if is_frozen(site)
    ]


def judge_inference(model: Model) -> list[Finding]:
    """DA103: sites that still drop in an artifact meant for inference."""
    if model.role is not Role.INFERENCE:
        return []
    return [
        make_finding(
            "DA103",
            site.name,
            message=f"Still drops at inference: it declares drop rate {_drop_rate(site)} and is switched on by "
            f"{site.switch.value}; expected no active site, found {len(model.active)}.",
            remedy="Export the model in evaluation mode; in PyTorch pass training=self.training to functional dropout.",
            declaredKeepProb=site.declared_keep_prob,
            implementation=site.implementation.value,
        )
        for site in model.active
        if not is_frozen(site)
    ]


def judge_removed(model: Model, surviving: frozenset[str]) -> list[Finding]:
    """DA102: Dropout operators that a default session of the runtime deletes."""
    operators = [site for site in model.active if site.implementation is Implementation.DROPOUT_OP]
    removed = [site for site in operators if site.name not in surviving]
    extent = "all" if len(removed) == len(model.active) else "a part"
    return [
        make_finding(
            "DA102",
            site.name,
            message="A default session of ONNX Runtime deletes this site although it is switched on: "
            f"{len(removed)} of {len(model.active)} active sites are gone, {extent} of the dropout.",
            remedy='Create the session with disabled_optimizers=["EliminateDropout"] where dropout is wanted; where it '
            "is not, export in evaluation mode.",
            removed=[other.name for other in removed],
            activeSites=len(model.active),
        )
        for site in removed
    ]


def judge_stacked(model: Model) -> list[Finding]:
    """DA203: a site whose data is another site's result, with nothing but moves between."""
    scope = main_scope(model.proto)
    results = {site.result: site for site in model.active if site.owner is None}
    findings = []
    for site in model.active:
        name = site.source
        while name not in results and name in scope.producers and scope.producers[name].op_type in MOVES:
            name = scope.producers[name].input[0]
        if name in results and site.owner is None:
            findings.append(_stacked(results[name], site))
    return findings


def _stacked(first: GraphSite, second: GraphSite) -> Finding:
    both = None
    if first.declared_keep_prob is not None and second.declared_keep_prob is not None:
        both = first.declared_keep_prob * second.declared_keep_prob
    kept = "" if both is None else f": together they keep {both:.4g}"
    return make_finding(
        "DA203",
        second.name,
        message=f"Drops what {first.name!r} has dropped already, with no operator between them{kept}.",
        remedy="Remove one of the two, unless both are meant.",
        first=first.name,
        keepProbOfBoth=both,
    )


def judge_reference(case: Case, reference: Reference) -> list[Finding]:
    """DA104, DA501 and DA502 of the inference outputs."""
    findings = []
    for name, value in reference.outputs.items():
        broken = int(np.count_nonzero(~np.isfinite(value)))
        if broken:
            findings.append(non_finite(name, "inference", broken))
        elif not agree(value, reference.repeated[name], _REPRODUCIBLE):
            findings.append(_not_reproducible(case, name))
    return findings


def _not_reproducible(case: Case, name: str) -> Finding:
    """Noise that is left when all known sites are bypassed: an error at inference, a limit of the audit at training."""
    at_inference = case.inference is not None or case.model.role is Role.INFERENCE
    return make_finding(
        "DA104" if at_inference else "DA901",
        name,
        message="Two inference-mode runs on one input differ by more than 1e-05 although every known dropout site was "
        "bypassed: the graph holds other random operators.",
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
