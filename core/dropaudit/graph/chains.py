"""Dropout spelled out with random operators, as sites."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import onnx

from dropaudit.graph.placement import place
from dropaudit.graph.scope import Scope
from dropaudit.graph.site import GraphSite
from dropaudit.graph.two_point import Draw, TwoPoint, Uniform, step
from dropaudit.report import Implementation
from dropaudit.stats.scale import FACTOR_PRECISION

_UNIFORM_OPERATORS = ("RandomUniform", "RandomUniformLike")


@dataclass(frozen=True, slots=True)
class _Origin:
    """A tensor that only a random operator and constants decide."""

    draw: Draw
    implementation: Implementation


def random_chains(scope: Scope) -> list[GraphSite]:
    """Return the places where a two-valued random tensor multiplies or selects data.

        RandomUniformLike(x) -> u ; Less(u, 0.8) -> b ; Cast(b) -> m ; Mul(x, m) -> y

    is a site from x to y with the declared keep probability 0.8, at the node that makes y. Random tensors that are
    not two-valued, or that are added, are noise and no site.
    """
    origins: dict[str, _Origin] = {}
    others = []
    for node in scope.graph.node:
        origin = _follow(scope, node, origins)
        if origin is None:
            others.append(node)
        else:
            origins[node.output[0]] = origin
    sites = (_applied(scope, node, origins) for node in others)
    return [site for site in sites if site is not None]


def _follow(scope: Scope, node: onnx.NodeProto, origins: dict[str, _Origin]) -> _Origin | None:
    started = _start(scope, node)
    if started is not None:
        return started
    sources = [origins[name] for name in node.input if name in origins]
    if not sources:
        return None
    operands = tuple(origins[name].draw if name in origins else scope.scalar(name) for name in node.input)
    draw = step(node.op_type, operands)
    return None if draw is None else _Origin(draw, sources[0].implementation)


def _start(scope: Scope, node: onnx.NodeProto) -> _Origin | None:
    if node.op_type in _UNIFORM_OPERATORS:
        bounds = {attribute.name: attribute.f for attribute in node.attribute if attribute.name in ("low", "high")}
        draw = Uniform(bounds.get("low", 0.0), bounds.get("high", 1.0))
        return _Origin(draw, Implementation.UNIFORM_CHAIN) if draw.low < draw.high else None
    if node.op_type == "Bernoulli":
        chance = scope.scalar(node.input[0])
        return None if chance is None else _Origin(TwoPoint(chance), Implementation.BERNOULLI)
    return None


def _applied(scope: Scope, node: onnx.NodeProto, origins: dict[str, _Origin]) -> GraphSite | None:
    """Return the site whose mask `node` applies to data, if it does."""
    if node.op_type == "Mul":
        masks = [name for name in node.input if name in origins]
        data = [name for name in node.input if name not in origins]
        if len(masks) != 1 or len(data) != 1:
            return None
        return _site(scope, node, data[0], masks[0], origins)
    if node.op_type == "Where" and node.input[0] in origins:
        return _selected(scope, node, origins)
    return None


def _selected(scope: Scope, node: onnx.NodeProto, origins: dict[str, _Origin]) -> GraphSite | None:
    """Where(mask, x, 0) keeps x at hits, Where(mask, 0, x) at misses."""
    condition, taken, other = node.input
    mask = origins[condition]
    if not isinstance(mask.draw, TwoPoint):
        return None
    if scope.scalar(other) == 0:
        return _site(scope, node, taken, condition, origins)
    if scope.scalar(taken) != 0:
        return None
    inverse = replace(mask.draw, hit=float(not mask.draw.hit), miss=float(not mask.draw.miss))
    return _site(scope, node, other, condition, {**origins, condition: replace(mask, draw=inverse)})


def _site(scope: Scope, node: onnx.NodeProto, data: str, mask: str, origins: dict[str, _Origin]) -> GraphSite | None:
    origin = origins[mask]
    if not isinstance(origin.draw, TwoPoint) or not 0 < origin.draw.keep_prob < 1:
        return None
    keep_prob = origin.draw.keep_prob
    source = _before_scale(scope, data, keep_prob, origins)
    result = _after_scale(scope, node.output[0], keep_prob, origins)
    return GraphSite(
        name=node.name,
        path=scope.path,
        implementation=origin.implementation,
        placement=place(scope, source, result),
        declared_keep_prob=keep_prob,
        source=source,
        result=result,
        mask=mask,
    )


def _before_scale(scope: Scope, data: str, keep_prob: float, origins: dict[str, _Origin]) -> str:
    """Step over a scale of the dropout's own that an exporter applies before the mask."""
    producer = scope.producers.get(data)
    masked = all(any(name in origins for name in node.input) for node in scope.consumers[data])
    if producer is None or not masked or data in scope.outputs:
        return data
    scaled = _scaled_operand(scope, producer, keep_prob)
    return data if scaled is None else scaled


def _after_scale(scope: Scope, result: str, keep_prob: float, origins: dict[str, _Origin]) -> str:
    """Step over what an exporter applies after the mask: a scale, or the other half of a select."""
    while (consumer := scope.sole_consumer(result)) is not None:
        joins = consumer.op_type == "Add" and any(name in origins for name in consumer.input)
        if not joins and _scaled_operand(scope, consumer, keep_prob) != result:
            break
        result = consumer.output[0]
    return result


def _scaled_operand(scope: Scope, node: onnx.NodeProto, keep_prob: float) -> str | None:
    """Return the tensor that `node` multiplies by 1/q or 1/p; an ordinary factor of the model is left alone."""
    if node.op_type not in ("Mul", "Div") or len(node.input) != 2:
        return None
    first, second = node.input
    factor = scope.scalar(second)
    if factor is None and node.op_type == "Mul":
        first, factor = second, scope.scalar(first)
    if not factor:
        return None
    factor = 1 / factor if node.op_type == "Div" else factor
    own = (1 / keep_prob, 1 / (1 - keep_prob))
    return first if any(math.isclose(factor, value, rel_tol=FACTOR_PRECISION) for value in own) else None
