"""Randomness other than a mask of zeros: noise, a choice between two tensors, a layer left out, other ids, a fill."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dropaudit_evaluation.spellings.grammar.draws import unit
from dropaudit_evaluation.spellings.grammar.mask import Mask, boolean, complement, integer, number
from dropaudit_evaluation.spellings.grammar.pen import Pen
from dropaudit_evaluation.spellings.grammar.thresholds import spell_mask, thresholds_for
from dropaudit_evaluation.spellings.grammar.writer import FLOAT, INT64, GraphWriter
from dropaudit_evaluation.spellings.intention import Law
from dropaudit_evaluation.spellings.network.network import FEATURES, Network, Tensor
from dropaudit_evaluation.spellings.network.plan import SitePlan

VOCABULARY, UNKNOWN = 11, 0
FILL = -1e4


def noise(network: Network, plan: SitePlan) -> None:
    """Add noise of mean 0."""
    pen = network.pen(network.graph, network.h, plan)
    added = pen.emit("Mul", _centred(pen), pen.number(float(pen.rng.uniform(0.05, 0.5))))
    _replace(network, plan, pen.emit("Add", network.h.name, added))


def _centred(pen: Pen) -> str:
    """Draw around 0."""
    if pen.toss(0.5):
        return pen.emit("RandomNormalLike", pen.cells.like, dtype=FLOAT)
    return pen.emit("Sub", unit(pen), pen.number(0.5))


def gaussian(network: Network, plan: SitePlan) -> None:
    """Multiply by N(1, p/q)."""
    pen, q = network.pen(network.graph, network.h, plan), float(plan.wish.keep_prob)
    deviation = float(np.sqrt((1 - q) / q))
    if pen.toss(0.5):
        factor = pen.emit("RandomNormalLike", pen.cells.like, mean=1.0, scale=deviation, dtype=FLOAT)
    else:
        drawn = pen.emit("RandomNormalLike", pen.cells.like, dtype=FLOAT)
        factor = pen.emit("Add", pen.emit("Mul", drawn, pen.number(deviation)), pen.number(1.0))
    _replace(network, plan, pen.emit("Mul", network.h.name, factor))


def zoneout(network: Network, plan: SitePlan) -> None:
    """Keep the old value or take the new one."""
    pen = network.pen(network.graph, network.h, plan)
    mixed = pen.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES))
    new = pen.emit("Tanh", mixed)
    network.bends()
    mask = _mask(pen, plan)
    if pen.toss(0.5):
        chosen = pen.emit("Where", boolean(pen, mask), new, network.h.name)
    else:
        old = pen.emit("Mul", network.h.name, number(pen, complement(pen, mask)))
        chosen = pen.emit("Add", pen.emit("Mul", new, number(pen, mask)), old)
    _replace(network, plan, chosen)


def random_branch(network: Network, plan: SitePlan) -> None:
    """Take a layer or leave it out, by one draw for all."""
    graph, pen = network.graph, network.pen(network.graph, network.h, plan)
    drawn = graph.emit("RandomUniform", shape=[1], dtype=FLOAT)
    condition = graph.emit("Less", drawn, pen.number(plan.wish.keep_prob))
    then, other = GraphWriter(graph), GraphWriter(graph)
    mixed = then.emit("Tanh", then.emit("MatMul", network.h.name, network.weight(FEATURES, FEATURES)))
    results = then.emit("Add", network.h.name, mixed), other.emit("Identity", network.h.name)
    bodies = [
        body.body(body.fresh("branch"), [], [network.value_info(result, network.h.dims)])
        for body, result in zip((then, other), results, strict=True)
    ]
    network.bends()
    _replace(network, plan, graph.emit("If", condition, then_branch=bodies[0], else_branch=bodies[1]))


def fill(network: Network, plan: SitePlan) -> None:
    """Fill scores with a number that a softmax makes nothing of."""
    pen = network.pen(network.graph, network.h, plan)
    filled = pen.emit("Where", boolean(pen, _mask(pen, plan)), network.h.name, pen.number(FILL))
    before = network.h.name
    network.h = replace(network.h, name=filled)
    network.note(plan, before, filled, ())
    network.h = replace(network.h, name=pen.emit("Softmax", filled, axis=-1))
    network.bends()


def words(network: Network, plan: SitePlan, ids: str, dims: tuple[int | str, ...]) -> str:
    """Replace integer ids by that of the unknown word, and return the ids."""
    graph = network.graph
    pen = network.pen(graph, Tensor(graph.emit("Cast", ids, to=FLOAT), dims), plan)
    mask = _mask(pen, plan)
    if pen.toss(0.5):
        kept = pen.emit("Where", boolean(pen, mask), ids, pen.number(UNKNOWN, INT64))
    else:
        kept = pen.emit("Mul", ids, pen.cast(integer(pen, mask), INT64))
    network.note(plan, ids, kept, ())
    return kept


def _mask(pen: Pen, plan: SitePlan) -> Mask:
    usable = thresholds_for(pen, by_feature=False, one_draw=True, pooling=False)
    return spell_mask(pen, plan.wish.keep_prob, usable)


def _replace(network: Network, plan: SitePlan, result: str) -> None:
    before = network.h.name
    network.h = replace(network.h, name=result)
    network.note(plan, before, result, ())


LAWS = {
    Law.NOISE: noise,
    Law.GAUSSIAN: gaussian,
    Law.ZONEOUT: zoneout,
    Law.BRANCH: random_branch,
    Law.FILL: fill,
}
