"""Claims about `inspect`: it accepts and refuses what an audit does, for the same reason."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import AuditError, InvalidModel
from dropaudit.measure.cases.inspect import inspect_model
from dropaudit.plan import Provider
from dropaudit_chaos.fuzzing.grammar_graphs import small_model
from dropaudit_models.specimens.situations import SITUATIONS
from support.graphs import CHAIN, damaged, dense

PLAN = Plan(provider=Provider.CPU, max_replicates=64)
CONTENT = dense(f"h = Relu(x)  {CHAIN.format(x='x')}  s = Mul(h, m)  k = Div(s, q)  y = Dropout(k, r, t)")
# What only a run can show.
ONLY_WHEN_RUN = "the model loads but does not run"


def models() -> Iterator[bytes]:
    """Yield graphs of the grammar, situations with functions and bodies, and damaged files."""
    yield from (small_model(random.Random(seed)).SerializeToString() for seed in range(5000, 5080))
    yield from (situation.model.SerializeToString() for situation in SITUATIONS[::4])
    yield from (damaged(CONTENT, random.Random(seed)) for seed in range(80))


def refusal(content: bytes, *, audited: bool) -> tuple[str, str] | None:
    """Return reason and message of a refusal; None where there is none, and where only a run shows it."""
    try:
        audit(ArtifactSubject(content, Role.AUTO), PLAN) if audited else inspect_model(content)
    except AuditError as error:
        return None if error.message.startswith(ONLY_WHEN_RUN) else (error.reason, error.message)
    return None


def test_inspect_refuses_what_an_audit_refuses_and_nothing_else_in_the_same_words() -> None:
    ended: Counter[str] = Counter()
    for content in models():
        inspected = refusal(content, audited=False)
        assert refusal(content, audited=True) == inspected
        ended["accepted" if inspected is None else "refused"] += 1
    assert min(ended.values()) > 30


def test_the_sites_of_an_inspection_are_those_of_the_report() -> None:
    found = inspect_model(CONTENT)
    report = audit(ArtifactSubject(CONTENT, Role.TRAIN), PLAN)
    assert [(site.name, site.path) for site in found] == [(site.name, site.path) for site in report.sites]


def test_inspecting_a_graph_that_the_runtime_refuses_names_the_node_and_says_why() -> None:
    proto = onnx.load_from_string(CONTENT)
    del proto.graph.node[0].input[:]
    with pytest.raises(InvalidModel, match=r"node 'Relu_0': .* input size 0 not in range \[min=1, max=1\]"):
        inspect_model(proto.SerializeToString())
