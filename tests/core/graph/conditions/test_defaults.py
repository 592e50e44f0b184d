"""Claims about constants that a file lists among the inputs of its graph, as old formats and some exporters do."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.graph.conditions.defaults import settle_defaults
from dropaudit.plan import Provider
from dropaudit.report import Verdict
from dropaudit_models.specimens.situations.words import CHAIN, graph, weights

PLAN = Plan(provider=Provider.CPU)
NEW, OLD = 8, 3


def listed(body: str, *names: str, version: int = NEW, **constants: np.ndarray | float | bool) -> onnx.ModelProto:
    """Return a graph with these of its constants among its inputs; all of them where none is named."""
    model = graph(body, constants=constants)
    model.ir_version = version
    for tensor in model.graph.initializer:
        if not names or tensor.name in names:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            model.graph.input.append(value)
    return model


def inputs_left(model: onnx.ModelProto) -> list[str]:
    settle_defaults(model)
    return [value.name for value in model.graph.input]


SITE = f"h = MatMul(x, w)  {CHAIN.replace('(x)', '(h)')}  k = Mul(m, s)  d = Mul(h, k)  y = Neg(d)"
SWITCHED = "h = MatMul(x, w)  d = Dropout(h, r, training)  y = Neg(d)"
W = weights()


def test_constants_are_none_the_less_where_every_one_is_listed() -> None:
    assert inputs_left(listed(SITE, w=W, q=0.7, s=1 / 0.7)) == ["x"]


def test_a_switch_stays_an_input_among_listed_constants() -> None:
    assert inputs_left(listed(SWITCHED, w=W, r=0.3, training=False)) == ["x", "training"]


def test_in_old_formats_a_switch_is_a_constant_too() -> None:
    assert inputs_left(listed(SWITCHED, w=W, r=0.3, training=True, version=OLD)) == ["x"]


@pytest.mark.parametrize("name", ["r", "training"])
def test_an_input_with_a_default_beside_weights_that_are_none_stays(name: str) -> None:
    assert inputs_left(listed(SWITCHED, name, w=W, r=0.3, training=True)) == ["x", name]


def test_a_rate_with_a_default_stays_where_it_is_the_only_number() -> None:
    assert inputs_left(listed("d = Dropout(x, r, training)  y = Neg(d)", r=0.3, training=True)) == [
        "x",
        "r",
        "training",
    ]


def report_of(model: onnx.ModelProto, role: Role = Role.TRAIN) -> Report:
    return audit(ArtifactSubject(model.SerializeToString(), role), PLAN)


@pytest.mark.parametrize(
    ("scale", "codes"), [(1 / 0.7, set()), (1.0, {"DA301", "DA305"}), (1 / 0.3, {"DA202", "DA305"})]
)
def test_a_site_is_judged_by_listed_constants(scale: float, codes: set[str]) -> None:
    report = report_of(listed(SITE, w=W, q=0.7, s=scale))
    assert {finding.code for finding in report.findings} == codes


def test_a_listed_mask_is_frozen_and_never_passes() -> None:
    mask = np.where(np.random.default_rng(3).random(16) < 0.7, 1 / 0.7, 0.0)
    model = listed("h = MatMul(x, w)  d = Mul(h, mask)  y = Neg(d)", w=W, mask=mask)
    assert report_of(model, Role.INFERENCE).verdict is Verdict.FAIL
