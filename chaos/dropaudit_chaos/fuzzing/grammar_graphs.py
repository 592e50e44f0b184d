"""Whole models of the grammar: rules at random, bodies in bodies, functions that are called."""

from __future__ import annotations

import random

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper

from dropaudit_chaos.fuzzing import grammar_rules as rules
from dropaudit_chaos.fuzzing.grammar import Grower, Value, fresh_inputs, info

_DEEPEST = 2
_PLAIN: tuple[rules.Rule, ...] = (
    rules.unary,
    rules.unary,
    rules.binary,
    rules.binary,
    rules.dense,
    rules.dropout,
    rules.dropout,
    rules.uniform_mask,
    rules.uniform_mask,
    rules.bernoulli,
    rules.free_noise,
    rules.scaled_by_computed,
    rules.reduce,
    rules.cast,
    rules.transpose,
    rules.concat,
    rules.cut_out,
    rules.flattened,
    rules.chosen,
    rules.normalized,
    rules.recurrent,
    rules.called,
)


def small_model(rng: random.Random) -> onnx.ModelProto:
    """Return a model: valid, small, and odd."""
    functions = [_function(f"f{number}", rng) for number in range(rng.choice((0, 0, 1, 2)))]
    grower = Grower(rng, functions=[each.name for each in functions])
    inputs = fresh_inputs(grower)
    _grow(grower, rng.randrange(2, 14))
    made = [each for each in grower.values if each not in inputs] or [_echo(grower)]
    outputs = rng.sample(made, min(len(made), rng.choice((1, 1, 2, 3))))
    if made[-1] not in outputs:
        outputs.append(made[-1])
    graph = helper.make_graph(grower.nodes, "g", [*map(info, inputs)], [*map(_loosely, outputs)], grower.weights)
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid("me", 1)] if functions else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, functions=functions)


def _loosely(value: Value) -> onnx.ValueInfoProto:
    """Return what a graph says of an output: its type and rank, and no extent that might be wrong."""
    return helper.make_tensor_value_info(value.name, value.kind, [None] * value.rank)


def _echo(grower: Grower) -> Value:
    first = grower.values[0]
    return grower.add("Identity", [first.name], first.kind, first.shape)


def _grow(grower: Grower, steps: int) -> None:
    for _ in range(steps):
        if grower.depth < _DEEPEST and grower.rng.random() < 0.08:
            grower.rng.choice((_branches, _loop, _scan))(grower)
        else:
            grower.rng.choice(_PLAIN)(grower)


def _body(grower: Grower, inner_inputs: list[Value]) -> Grower:
    """Begin a body: it sees its own inputs, and what lies around it."""
    inner = Grower(grower.rng, list(grower.values) + inner_inputs, depth=grower.depth + 1, functions=grower.functions)
    inner.prefix = f"{grower.prefix}b{len(grower.nodes)}_"
    return inner


def _like(inner: Grower, wanted: Value) -> Value:
    """Return what a body made of a type and shape, or a copy of what there was."""
    made = [each for each in inner.values if (each.kind, each.shape) == (wanted.kind, wanted.shape)]
    return inner.add("Identity", [made[-1].name], wanted.kind, wanted.shape)


def _branches(grower: Grower) -> None:
    if (taken := grower.pick(lambda each: each.is_float)) is None:
        return
    flag = grower.pick(lambda each: each.kind == TensorProto.BOOL and each.rank == 0)
    condition = flag.name if flag else grower.number(TensorProto.BOOL, grower.rng.random() < 0.5)
    bodies = {}
    for name in ("then_branch", "else_branch"):
        inner = _body(grower, [])
        inner.prefix += name[0]
        _grow(inner, grower.rng.randrange(1, 4))
        made = _like(inner, taken)
        bodies[name] = helper.make_graph(inner.nodes, name, [], [_loosely(made)], inner.weights)
    grower.add("If", [condition], taken.kind, taken.shape, **bodies)


def _loop(grower: Grower) -> None:
    if (taken := grower.pick(lambda each: each.is_float)) is None:
        return
    prefix = f"{grower.prefix}l{len(grower.nodes)}"
    step, go_on = Value(f"{prefix}i", TensorProto.INT64, ()), Value(f"{prefix}c", TensorProto.BOOL, ())
    state = Value(f"{prefix}s", taken.kind, taken.shape)
    inner = _body(grower, [step, go_on, state])
    _grow(inner, grower.rng.randrange(1, 4))
    after = _like(inner, state)
    still = inner.add("Identity", [go_on.name], TensorProto.BOOL, ())
    body = helper.make_graph(
        inner.nodes,
        "body",
        [*map(info, (step, go_on)), _loosely(state)],
        [*map(_loosely, (still, after))],
        inner.weights,
    )
    rounds = grower.constant(np.array(grower.rng.choice((0, 1, 3)), np.int64))
    grower.add("Loop", [rounds, grower.number(TensorProto.BOOL, 1), taken.name], taken.kind, taken.shape, body=body)


def _scan(grower: Grower) -> None:
    taken = grower.pick(lambda each: each.is_float and each.rank > 1 and each.is_fixed and 0 not in each.shape)
    if taken is None:
        return
    piece = Value(f"{grower.prefix}p{len(grower.nodes)}", taken.kind, taken.shape[1:])
    inner = _body(grower, [piece])
    _grow(inner, grower.rng.randrange(1, 4))
    made = _like(inner, piece)
    body = helper.make_graph(inner.nodes, "body", [info(piece)], [_loosely(made)], inner.weights)
    grower.add("Scan", [taken.name], taken.kind, taken.shape, body=body, num_scan_inputs=1)


def _function(name: str, rng: random.Random) -> onnx.FunctionProto:
    """Return a function of one float tensor that keeps its shape; its rate is an attribute with a default."""
    grower = Grower(rng, [Value("v", TensorProto.FLOAT, ("N", 4))], prefix=name)
    for _ in range(rng.randrange(1, 5)):
        rng.choice((rules.unary, rules.binary))(grower)
    rate, taken = grower.name(), grower.pick(lambda each: each.shape == ("N", 4)) or grower.values[0]
    constant = helper.make_node("Constant", [], [rate])
    constant.attribute.add(name="value_float", ref_attr_name="p", type=AttributeProto.FLOAT)
    switch = helper.make_node("Constant", [], [f"{rate}s"], value=helper.make_tensor("s", TensorProto.BOOL, [], [True]))
    drop = helper.make_node("Dropout", [taken.name, rate, f"{rate}s"], ["w"], name=name)
    weights = [helper.make_node("Constant", [], [each.name], value=each) for each in grower.weights]
    nodes = [*weights, *grower.nodes, constant, switch, drop]
    opsets = [helper.make_opsetid("", rng.choice((17, 17, 16, 18)))]
    made = helper.make_function("me", name, ["v"], ["w"], nodes, opsets)
    made.attribute_proto.append(helper.make_attribute("p", 0.5))
    return made
