"""Mutations of models, fed to what reads, inspects and audits them."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

import onnx
from onnx import AttributeProto

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import AuditCancelled, AuditError
from dropaudit.measure.cases.inspect import inspect_model
from dropaudit.plan import Provider
from dropaudit_chaos.fuzzing.mutations import mutated
from dropaudit_chaos.siege.hostile import base
from dropaudit_chaos.work import models

# One in so many is audited too, which takes far longer than reading it.
_AUDITED = 10
_PLAN = Plan(provider=Provider.CPU, max_replicates=64)
_PATIENCE_SECONDS = 5.0
_NAMES = ("", "x", "y", "h", "w", "r", "t", "nowhere", "\x1b[31m")
_OPERATORS = (
    "Mul",
    "Where",
    "Dropout",
    "Identity",
    "Scan",
    "If",
    "Loop",
    "Missing",
    "RandomUniformLike",
    "LSTM",
    "Less",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """So many mutations that a seed gives."""

    seed: int
    size: int


@dataclass(slots=True)
class Result:
    """The answers to a batch."""

    outcomes: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    slowest: float = 0.0


def run_batch(batch: Batch) -> Result:
    """Feed a batch."""
    rng, result = random.Random(batch.seed), Result()
    seeds = [base().SerializeToString(), *models()]
    for number in range(batch.size):
        content = mutation(rng.choice(seeds), rng)
        began = time.monotonic()
        try:
            result.outcomes[_fed(content, whole=number % _AUDITED == 0)] += 1
        except Exception as error:  # whatever it is, it is what is looked for
            result.outcomes["no typed error"] += 1
            result.surprises.append(f"batch {batch.seed}, input {number}: {type(error).__name__}: {error}"[:300])
        result.slowest = max(result.slowest, time.monotonic() - began)
    return result


def _fed(content: bytes, whole: bool) -> str:
    end = time.monotonic() + _PATIENCE_SECONDS
    try:
        if not whole:
            inspect_model(content)
            return "inspected"
        report = audit(ArtifactSubject(content, Role.AUTO), _PLAN, cancelled=lambda: time.monotonic() > end)
        return f"audited: {report.verdict.value}"
    except AuditCancelled:
        return "ended at the time limit"
    except AuditError as error:
        return error.reason


def mutation(content: bytes, rng: random.Random) -> bytes:
    """Return a mutation of a model: of its bytes, or of its graph, so that more of it stays right."""
    if rng.random() < 0.3:
        return mutated(content, rng)
    proto = onnx.load_from_string(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(proto.graph, rng)
    return proto.SerializeToString()


def _change(graph: onnx.GraphProto, rng: random.Random) -> None:
    change = rng.choice((_change_node, _change_node, _change_edges, _change_edges, _change_weight, _change_input))
    if graph.node and graph.initializer:
        change(graph, rng)


def _change_node(graph: onnx.GraphProto, rng: random.Random) -> None:
    node = rng.choice(graph.node)
    match rng.randrange(4):
        case 0:
            node.op_type = rng.choice(_OPERATORS)
        case 1:
            node.attribute.add(name=rng.choice(("axis", "to", "body", "seed", "ratio")), type=AttributeProto.INT, i=9)
        case 2:
            graph.node.append(node)
        case _:
            graph.node.remove(node)


def _change_edges(graph: onnx.GraphProto, rng: random.Random) -> None:
    node = rng.choice(graph.node)
    edges = rng.choice((node.input, node.output))
    if edges and rng.random() < 0.7:
        edges[rng.randrange(len(edges))] = rng.choice(_NAMES)
    else:
        edges.append(rng.choice(_NAMES))


def _change_input(graph: onnx.GraphProto, rng: random.Random) -> None:
    for value in graph.input[:1]:
        value.type.tensor_type.elem_type = rng.randrange(-1, 25)


def _change_weight(graph: onnx.GraphProto, rng: random.Random) -> None:
    tensor = rng.choice(graph.initializer)
    match rng.randrange(3):
        case 0:
            tensor.data_type = rng.randrange(-1, 25)
        case 1:
            tensor.dims.append(rng.choice((-1, 0, 1, 2, 1 << 40)))
        case _:
            tensor.raw_data = rng.randbytes(rng.choice((0, 1, 4, 64)))
