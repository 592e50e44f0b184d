"""Pairs: the inference artifact that goes with a train artifact, and what an audit of both must say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import onnx
from onnx import helper

from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.spellings.asked import LabelDraft, ask_for_spelling
from dropaudit_evaluation.spellings.errors import Contradiction, Unfit
from dropaudit_evaluation.spellings.intention import Law, SiteIntention
from dropaudit_evaluation.spellings.network.plan import GraphPlan, Pairing
from dropaudit_evaluation.spellings.rates import is_apart
from dropaudit_evaluation.spellings.truth import Truth

# Times q; the second where the first would leave about 1, which is another law.
_WRONG = (1.27, 1.62)
_STRAIGHT = ("nothing", "negated", "linear")


def factor_of(pairing: Pairing, q: float) -> float:
    """Return what an inference artifact multiplies by in place of a site."""
    wrong = next(each * q for each in _WRONG if is_apart(each * q, [1.0]))
    return {Pairing.PLAIN: 1.0, Pairing.CLASSIC: q, Pairing.WRONG: wrong}[pairing]


def inference_artifact(model: onnx.ModelProto, sites: Sequence[SiteIntention], pairing: Pairing) -> onnx.ModelProto:
    """Return the model with a factor in place of each site, and without what only the sites needed."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for site in sites:
        factor = helper.make_tensor(f"{site.result}/factor", 1, [], [factor_of(pairing, float(site.keep_prob))])
        result.graph.initializer.append(factor)
        place = next(place for place, node in enumerate(result.graph.node) if site.result in node.output)
        del result.graph.node[place]
        result.graph.node.insert(place, helper.make_node("Mul", [site.data, factor.name], [site.result]))
    _prune(result.graph)
    return result


def _prune(graph: onnx.GraphProto) -> None:
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)


def label_of_pair(plan: GraphPlan, truth: Truth, file: str) -> Label:
    """Return the row of a pair. Raises Unfit and Contradiction."""
    asked = LabelDraft()
    _ask_for_pair(asked, plan, truth)
    inference = file.replace(".onnx", "__inference.onnx")
    return msgspec.structs.replace(asked.label(file, plan.role), inference=inference)


def _ask_for_pair(asked: LabelDraft, plan: GraphPlan, truth: Truth) -> None:
    """Say what train and inference artifact make together.

    Raises:
        Unfit: a further factor of a site that is right at training is not one factor of the output.
        Contradiction: a pair that is right has another mean at training than at inference.
    """
    pairing, laws = plan.pair, {site.site.law for site in truth.sites}
    assert pairing is not None
    (law,) = laws
    bends = plan.head not in _STRAIGHT or (len(truth.sites) > 1 and plan.between not in _STRAIGHT)
    if law is Law.RIGHT and pairing is not Pairing.PLAIN and bends:
        raise Unfit("an artifact's factor is bent on its way to the output")
    code = _CODES[law, pairing]
    for site in truth.sites:
        ask_for_spelling(asked, site.site, plan.role)
    if code is None or code == "DA304":
        asked.notes.update([code] if code else [])
        factors = [factor_of(pairing, float(site.site.keep_prob)) for site in truth.sites]
        if not bends:
            _check_mean(truth, math.prod(factors))
        return
    asked.error(code)
    # The gap between the artifacts may be named beside its reason.
    asked.allow("DA502")


_CODES = {
    (Law.RIGHT, Pairing.PLAIN): None,
    (Law.RIGHT, Pairing.CLASSIC): "DA302",
    (Law.RIGHT, Pairing.WRONG): "DA303",
    (Law.MISSING, Pairing.PLAIN): "DA301",
    (Law.MISSING, Pairing.CLASSIC): "DA304",
    (Law.MISSING, Pairing.WRONG): "DA303",
}


def _check_mean(truth: Truth, factor: float) -> None:
    error = 5 * truth.scales.std() / truth.scales.size**0.5 + 1e-4
    if abs(truth.scales.mean() - factor) > error:
        raise Contradiction(f"training keeps {truth.scales.mean()} of the output, inference {factor}")
