"""Findings about the two modes, from the structure of the artifacts and from a default session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.facts.linear_paths import without_effect
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.judge.non_finite import non_finite
from dropaudit.judge.presence_findings import drop_rate, named, outputs_named
from dropaudit.measure.case import Case, Model, is_frozen
from dropaudit.measure.cases.reference import AGREEING_RUNS, REPRODUCIBLE, Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Implementation, Severity


def judge_frozen(model: Model) -> list[Finding]:
    """DA401: masks that are constants of the graph."""
    masks = [
        _frozen(
            site,
            f"Multiplies by the constant {site.mask!r}, which holds zeros and one other value in no regular order: the "
            "same mask in every run.",
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
        for site in model.frozen_weights
    ]
    return masks + weights


def _frozen(site: GraphSite, message: str) -> Finding:
    return make_finding(
        FindingCode.FROZEN_MASK,
        site.name,
        message=message,
        remedy="Make the mask from the data's shape at run time, or use the Dropout operator; an exporter folds a mask "
        "made from constants.",
        mask=site.mask,
    )


def freezes_in_one_mode(model: Model) -> bool:
    """Whether train mode and inference take branches of which only one holds a mask that is a constant."""
    frozen = [
        {(site.path, site.name) for site in sites if is_frozen(site)} for sites in (model.sites, model.plain_sites)
    ]
    return frozen[0] != frozen[1]


def judge_inference(model: Model) -> list[Finding]:
    """DA103: sites that still drop in an artifact meant for inference, or that a mode switch does not reach."""
    if model.role is Role.INFERENCE:
        sites = model.active
    elif model.role is Role.TRAIN and model.plain is not model.proto:
        # The branch that inference takes drops. A default can be fed otherwise; what no input reaches cannot.
        known = {(site.path, site.name) for site in model.sites}
        others = (site for site in model.plain_sites if (site.path, site.name) not in known)
        sites = tuple(site for site in others if site.switch in (Switch.ON, Switch.COMPUTED))
    else:
        sites = ()
    scopes = model.scopes if model.role is Role.INFERENCE else model.plain_scopes
    dead = without_effect(scopes, sites)
    on = [site for site in sites if not is_frozen(site) and site not in dead]
    return [_still_drops(on)] if on else []


def _still_drops(sites: Sequence[GraphSite]) -> Finding:
    names, first = [site.name for site in sites], sites[0]
    rates = ", ".join(dict.fromkeys(drop_rate(site) for site in sites))
    several = f"{len(sites)} sites ({named(names)}) still drop at inference: they declare"
    switched = "always on" if first.switch is Switch.ON else f"switched on by {first.switch.value}"
    return make_finding(
        FindingCode.ACTIVE_AT_INFERENCE,
        first.name,
        message=f"{several if len(sites) > 1 else 'Still drops at inference: it declares'} drop rate {rates}, "
        f"{switched}; expected no active site, found {len(sites)}.",
        remedy="Export the model in evaluation mode; in PyTorch pass training=self.training to functional dropout. "
        "Where dropout at inference is meant, as in Monte-Carlo dropout or the prenet of a speech model, audit the "
        "artifact in role train.",
        declaredKeepProb=first.declared_keep_prob,
        implementation=first.implementation.value,
        sites=names,
    )


def judge_removed(model: Model) -> list[Finding]:
    """DA102: Dropout operators that a default session of the runtime deletes; INFO in role AUTO."""
    operators = [site for site in model.active if site.implementation is Implementation.DROPOUT_OP]
    removed = [site.name for site in operators if site.maker not in model.surviving and site not in model.dead]
    if not removed:
        return []
    extent = "all" if len(removed) == len(model.active) else "a part"
    return [
        make_finding(
            FindingCode.REMOVED_BY_RUNTIME,
            removed[0],
            severity=Severity.INFO if model.role is Role.AUTO else None,
            message=f"A default session of ONNX Runtime deletes {len(removed)} of {len(model.active)} active sites "
            f"although they are switched on ({named(removed)}), {extent} of the dropout.",
            remedy='Create the session with disabled_optimizers=["EliminateDropout"] where dropout is wanted; where it '
            "is not, export in evaluation mode.",
            removed=removed,
            activeSites=len(model.active),
        )
    ]


def judge_reference(case: Case, reference: Reference) -> list[Finding]:
    """DA104 and DA501 of the inference outputs."""
    findings = []
    for name, value in reference.outputs.items():
        broken = int(np.count_nonzero(~np.isfinite(value)))
        if broken:
            findings.append(non_finite(name, "inference", broken))
    if case.inference is None and case.model.role is not Role.INFERENCE:
        unexplained = () if reference.other else sorted(reference.unstable)
        return findings + [_not_reproducible(name) for name in unexplained]
    if not (reference.served_other or reference.unstable):
        return findings
    return [*findings, _nondeterministic(reference)]


def _nondeterministic(reference: Reference) -> Finding:
    """Randomness at inference beside the sites: structure says where it comes from, runs confirm it."""
    operators = reference.served_other
    names = [operator.name for operator in operators]
    outputs = sorted(set(reference.unstable).union(*(operator.outputs for operator in operators)))
    nodes = ", ".join(f"{each.name!r} ({each.op_type})" for each in operators[:4])
    drawn = "random operators reach it" if len(outputs) == 1 else "random operators reach them"
    cause = f"{drawn}: {nodes}" if operators else "no random operator explains it"
    differ = (
        f"{'differ' if len(outputs) > 1 else 'differs'} between runs on one input by more than {REPRODUCIBLE:g}"
        if reference.unstable
        else f"agreed bit for bit in {AGREEING_RUNS} runs on one input"
    )
    return make_finding(
        FindingCode.NONDETERMINISTIC_INFERENCE,
        names[0] if names else outputs[0],
        severity=None if reference.unstable else Severity.WARNING,
        message=f"At inference the {outputs_named(outputs)} {differ}, with every dropout site bypassed; {cause}.",
        remedy="Remove random operators that inference should not have, or draw outside the model and feed the draw.",
        nodes=names or None,
        outputs=outputs,
    )


def _not_reproducible(name: str) -> Finding:
    """Remaining randomness when all known sites are bypassed and no random operator is left: a limit of the audit."""
    return make_finding(
        FindingCode.INCONCLUSIVE,
        name,
        message=f"Two inference-mode runs on one input differ by more than {REPRODUCIBLE:g} although every known "
        "dropout site was bypassed, and no random operator is left.",
        remedy="Look for a custom operator, or for one that adds up in another order from run to run.",
    )
