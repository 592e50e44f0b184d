"""Claims about mutated models and requests; `make fuzz` feeds far more, with another seed."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
import pytest

from dropaudit_chaos.fuzzing.grammar_graphs import small_model
from dropaudit_chaos.fuzzing.graphs import fuzz_graphs
from dropaudit_chaos.fuzzing.mutate import fuzz_loader
from dropaudit_chaos.fuzzing.readers import fuzz_readers
from dropaudit_chaos.fuzzing.server import fuzz_server

pytestmark = pytest.mark.system
SEEDS = range(300)


def test_a_mutated_model_gets_a_typed_error_or_a_report_and_kills_no_process() -> None:
    found = fuzz_loader(10_000, seed=7)
    assert found.surprises == []
    assert found.inputs == sum(found.outcomes.values()) == 10_000
    # Not everything is refused at the door.
    assert found.outcomes["inspected"] > 100
    assert found.outcomes["INVALID_MODEL"] > 1000


def test_mutated_filters_tokens_archives_and_requests_are_read_or_refused_in_short() -> None:
    inputs, outcomes, surprises, _ = fuzz_readers(5000, 7)
    assert surprises == []
    assert inputs == sum(outcomes.values())
    # Not everything is refused at the door.
    for name in ("filter", "archive", "token file", "CreateAudit", "UpdateSuite"):
        assert outcomes[f"{name}: read"] > 5
        assert outcomes[f"{name}: refused"] > 50


def test_a_mutated_request_gets_an_answer_or_a_refusal_and_the_server_goes_on(tmp_path: Path) -> None:
    inputs, outcomes, surprises, _ = fuzz_server(4000, 7, tmp_path)
    assert surprises == []
    assert inputs == sum(outcomes.values())
    assert outcomes["OK"] > 50
    assert outcomes["INVALID_ARGUMENT"] > 1000


def test_a_valid_graph_ends_no_sandbox_and_ends_in_time() -> None:
    found = fuzz_graphs(SEEDS)
    assert found.surprises == {}
    audited = sum(count for outcome, count in found.outcomes.items() if outcome.startswith("audited"))
    # Few are refused: the runtime has not every operator for every type.
    assert audited > 0.7 * len(SEEDS)
    assert {"audited: PASS", "audited: FAIL"} <= set(found.outcomes)


def test_the_grammar_makes_the_same_graph_of_a_seed_and_few_that_are_not_valid() -> None:
    graphs = [small_model(random.Random(seed)) for seed in range(200)]
    again = [small_model(random.Random(seed)) for seed in range(200)]
    assert [each.SerializeToString(deterministic=True) for each in graphs] == [
        each.SerializeToString(deterministic=True) for each in again
    ]
    for each in graphs:
        onnx.checker.check_model(each)
    operators = {node.op_type for each in graphs for node in each.graph.node}
    assert {"Dropout", "If", "Loop", "Scan", "LSTM", "NonZero", "Bernoulli", "f0"} <= operators
