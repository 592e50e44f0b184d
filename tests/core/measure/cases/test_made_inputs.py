"""Claims about truth values that the audit makes up: True, and False where True makes a model say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.reading.load import parse_model
from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.reading.signature import signature
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.inputs import make_feeds
from dropaudit.measure.cases.made_inputs import with_other_truths
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit.runtime.provider import choose
from support.graphs import model

CPU = choose(Provider.CPU)


def content(body: str, mask: str = "bool[N,16] pad") -> bytes:
    constants = "float r = {0.3}, bool t = {1}, float zero = {0.0}, float one = {1.0}"
    return model(f"g (float[N,16] x, {mask}) => (float[N,16] y) <{constants}> {{ {body} }}")


MASKED = "least = Log(zero)  a = Where({0}, least, x)  p = Softmax(a)  y = Dropout(p, r, t)"
PADS = MASKED.format("pad")
KEEPS = "n = Not(pad)  " + MASKED.format("n")


def fed(body: str, given: dict[str, np.ndarray] | None = None) -> np.ndarray:
    proto = name_nodes(parse_model(content(body)))
    specs = signature(main_scope(proto))
    feeds = make_feeds(specs, given, frozenset(), {}, np.random.default_rng(0))
    return with_other_truths(proto, specs, {}, feeds, CPU).arrays["pad"]


def test_a_truth_value_is_true_where_that_works() -> None:
    assert fed(KEEPS).all()


@pytest.mark.parametrize(
    "body", [PADS, "a = Where(pad, zero, x)  y = Dropout(a, r, t)"], ids=["not finite", "constant"]
)
def test_a_mask_that_would_pad_everything_is_false(body: str) -> None:
    assert not fed(body).any()


def test_where_neither_works_it_stays_true() -> None:
    assert fed("l = Log(zero)  a = Where(pad, l, l)  y = Add(a, x)").all()


def test_what_the_caller_gives_is_left_alone() -> None:
    given = np.ones((8, 16), dtype=np.bool_)
    assert fed(PADS, {"pad": given}).all()


def test_padding_that_was_made_up_is_no_fault_of_the_model() -> None:
    report = audit(ArtifactSubject(content(PADS), Role.TRAIN), Plan(provider=Provider.CPU))
    assert report.verdict is Verdict.PASS
    assert {each.name: each.synthesized for each in report.execution.inputs} == {"x": True, "pad": True}


def test_padding_that_was_given_is_judged() -> None:
    inputs = {"pad": np.ones((8, 16), dtype=np.bool_)}
    report = audit(ArtifactSubject(content(PADS), Role.TRAIN, inputs), Plan(provider=Provider.CPU))
    assert "DA501" in {finding.code for finding in report.findings}
