"""Claims about nodes that stand in a file in another order than they can be run in."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.reading.load import parse_model
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations import situation_named
from dropaudit_models.specimens.situations.words import CHAIN, graph

PLAN = Plan(provider=Provider.CPU, max_replicates=4096)
SCAN = "spelled-in-body"


def reordered(model: onnx.ModelProto, rng: np.random.Generator) -> bytes:
    """Return a model with the nodes of each of its graphs in another order."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _reorder(changed.graph, rng)
    return changed.SerializeToString()


def _reorder(graph: onnx.GraphProto, rng: np.random.Generator) -> None:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _reorder(attribute.g, rng)
    nodes = list(graph.node)
    copies = [onnx.NodeProto.FromString(nodes[i].SerializeToString()) for i in rng.permutation(len(nodes))]
    del graph.node[:]
    graph.node.extend(copies)


def is_in_order(graph: onnx.GraphProto, known: frozenset[str] = frozenset()) -> bool:
    made = set(known) | {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer} | {""}
    for node in graph.node:
        bodies = [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]
        if not made.issuperset(node.input) or not all(is_in_order(body, frozenset(made)) for body in bodies):
            return False
        made |= set(node.output)
    return True


@pytest.mark.parametrize("seed", range(5))
def test_every_node_is_put_behind_those_whose_results_it_reads(seed: int) -> None:
    content = reordered(situation_named(SCAN).model, np.random.default_rng(seed))
    assert not is_in_order(onnx.load_from_string(content).graph)
    assert is_in_order(parse_model(content).graph)


def test_an_order_that_can_be_run_is_left_as_it_is() -> None:
    model = situation_named(SCAN).model
    assert parse_model(model.SerializeToString()).graph == model.graph


def test_a_graph_with_a_circle_is_left_to_the_runtime() -> None:
    model = graph("a = Add(x, c)  c = Neg(a)  y = Neg(c)")
    assert parse_model(model.SerializeToString()).graph == model.graph


def report_of(content: bytes) -> Report:
    return audit(ArtifactSubject(content, Role.TRAIN), PLAN)


# As converters to half precision leave a graph: the casts of what a draw reads and makes stand at the end.
CASTS_LAST = (
    "u16 = Cast<to = 10>(u)  b = Less(u16, q16)  m = Cast<to = 10>(b)  k = Mul(m, s16)  d16 = Mul(x16, k)  "
    "d = Cast<to = 1>(d16)  y = Neg(d)  x16 = Cast<to = 10>(x)  q16 = Cast<to = 10>(q)  s16 = Cast<to = 10>(s)  "
    "x32 = Cast<to = 1>(x16)  u = RandomUniformLike(x32)"
)


@pytest.mark.parametrize(("scale", "codes"), [(1 / 0.7, set()), (1.0, {"DA301", "DA305"})])
def test_a_site_is_found_and_judged_where_the_casts_around_it_stand_last(scale: float, codes: set[str]) -> None:
    report = report_of(graph(CASTS_LAST, q=0.7, s=scale).SerializeToString())
    assert {finding.code for finding in report.findings} == codes
    assert len(report.sites) == 1


def test_an_audit_of_reordered_nodes_says_the_same() -> None:
    model = graph(f"{CHAIN}  e = Div(m, q)  d = Mul(x, e)  h = Tanh(d)  y = Dropout(h, r, t)", q=0.7, r=0.3, t=True)
    report = report_of(reordered(model, np.random.default_rng(0)))
    assert report.verdict is Verdict.PASS
    assert len(report.sites) == 2
