"""Whether there is dropout, and whether it reaches an output."""

from __future__ import annotations

from collections.abc import Sequence

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.graph.reading.dropout_operator import ratio_of, switch_of
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.measure.branches.taken import UnseenBranch
from dropaudit.measure.case import Model, is_frozen
from dropaudit.measure.cases.reference import Reference
from dropaudit.plan import Role
from dropaudit.report import Finding, Severity

# Names in a sentence; the evidence holds all of them.
_NAMED = 4


def judge_presence(model: Model, reference: Reference) -> list[Finding]:
    """DA101, DA105, DA106 and DA107: sites that cannot drop, sites without effect, other randomness, or nothing."""
    unseen = [_unseen(branch) for branch in model.unseen]
    if model.role is Role.INFERENCE:
        return unseen
    dead = frozenset(site for site in model.dead if not is_frozen(site))
    inert = [site for site in model.inert if model.role is Role.TRAIN]
    findings = unseen + ([_inert(inert)] if inert else [])
    findings += [_dead([site for site in model.active if site in dead])] if dead else []
    if reference.other:
        findings.append(_unrecognized(reference))
    if inert or unseen or reference.other or model.frozen_weights or set(model.active) - dead:
        return findings
    return [*findings, _nothing(model, dead)]


def drop_rate(site: GraphSite) -> str:
    """Return the drop rate that a site declares, in words."""
    return "unknown" if site.declared_keep_prob is None else f"{1 - site.declared_keep_prob:.4g}"


def named(names: Sequence[str]) -> str:
    """List names, the first few of many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more


def outputs_named(names: Sequence[str]) -> str:
    """Name one output, or list several."""
    return f"output {named(names)}" if len(names) == 1 else f"outputs {named(names)}"


def _inert(sites: Sequence[GraphSite]) -> Finding:
    names = [site.name for site in sites]
    several = f"{len(sites)} sites ({named(names)}) declare" if len(sites) > 1 else "Declares"
    rates = ", ".join(dict.fromkeys(drop_rate(site) for site in sites))
    never = "but never drop: training_mode is" if len(sites) > 1 else "but never drops: its training_mode is"
    return make_finding(
        FindingCode.INERT_SITE,
        names[0],
        message=f"{several} drop rate {rates}, {never} false or absent, or the opset has no train mode.",
        remedy="Export at opset 12 or later with the module in train mode. Where it was in train mode already, the "
        "exporter has left the mode out, as PyTorch's do for scaled_dot_product_attention: apply the dropout to the "
        "attention weights in a module of its own.",
        declaredKeepProb=sites[0].declared_keep_prob,
        sites=names,
    )


def _dead(sites: Sequence[GraphSite]) -> Finding:
    names = [site.name for site in sites]
    subject = f"The results of {len(sites)} sites ({named(names)}) reach" if len(sites) > 1 else "The result reaches"
    return make_finding(
        FindingCode.DEAD_SITE,
        names[0],
        message=f"{subject} no output: what is dropped here changes nothing.",
        remedy="Nothing to change where that is meant, as for the last step of an unrolled recurrence; otherwise use "
        "the result of the dropout, which returns a new tensor and leaves its input as it is.",
        sites=names,
    )


def _unseen(branch: UnseenBranch) -> Finding:
    return make_finding(
        FindingCode.INCONCLUSIVE,
        branch.name,
        message=f"The {branch.branch} of this If draws random numbers ({named(branch.operators)}) and was not run: "
        "neither these inputs nor any others that were tried take it.",
        remedy="Audit with inputs for which it is taken.",
        branch=branch.branch,
        nodes=list(branch.operators),
    )


def _unrecognized(reference: Reference) -> Finding:
    names = [operator.name for operator in reference.other]
    reached = sorted(set().union(*(operator.outputs for operator in reference.other)))
    subject, verb = ("Random operators", "reach") if len(names) > 1 else ("A random operator", "reaches")
    operators = ", ".join(f"{each.name!r}: {each.op_type}" for each in reference.other[:_NAMED])
    more = "" if len(names) <= _NAMED else f" and {len(names) - _NAMED} more"
    return make_finding(
        FindingCode.UNRECOGNIZED_RANDOMNESS,
        names[0],
        message=f"{subject} that the audit does not understand as dropout ({operators}{more}) {verb} the "
        f"{outputs_named(reached)}, whose mean is therefore not judged.",
        remedy="Nothing to change where the noise is meant; otherwise check by hand what it does to the outputs.",
        nodes=names,
        outputs=reached,
    )


def _nothing(model: Model, dead: frozenset[GraphSite]) -> Finding:
    idle = [reason for scope in model.scopes for reason in _idle(scope)]
    idle += [f"{site.name!r} reaches no output" for site in model.active if site in dead]
    more = "" if len(idle) <= _NAMED else "; …"
    there = f" Dropout without effect: {'; '.join(idle[:_NAMED])}{more}." if idle else ""
    return make_finding(
        FindingCode.NO_SITES,
        model.proto.graph.name or "model",
        severity=Severity.ERROR if model.role is Role.TRAIN else None,
        message=f"Nothing random reaches any output: 0 active sites, at least 1 expected.{there}",
        remedy="Export in train mode and keep the exporter from removing dropout.",
        sites=0,
        idle=idle or None,
    )


def _idle(scope: Scope) -> list[str]:
    """Say of each Dropout operator that cannot drop why it does nothing."""
    found = []
    for node in scope.graph.node:
        if node.op_type != "Dropout":
            continue
        if ratio_of(scope, node) == 0:
            found.append(f"{node.name!r} has drop rate 0")
        elif switch_of(scope, node)[0] is Switch.OFF:
            found.append(f"{node.name!r} has no train mode")
    return found
