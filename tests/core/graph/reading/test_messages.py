"""Claims about what a model may hold anywhere in its message: nothing there leads out of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx
import pytest
from onnx import TensorProto, parser

from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.load import parse_model
from dropaudit.graph.reading.messages import every_node, every_tensor

HEADER = '<ir_version: 8, opset_import: ["" : 17]>'


def plain() -> onnx.ModelProto:
    return parser.parse_model(f"{HEADER} g (float[2] x) => (float[2] y) {{ y = Relu(x) }}")


def ways(start: Any, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield each way from a message to a tensor, as names of fields, that passes no kind of message twice."""
    for field in start.fields:
        kind = field.message_type
        if kind is not None and kind.name == "TensorProto":
            yield (field.name,)
        elif kind is not None and kind.name not in seen:
            yield from ((field.name, *rest) for rest in ways(kind, (*seen, kind.name)))


WAYS = list(ways(onnx.ModelProto.DESCRIPTOR))


def reached(model: onnx.ModelProto, way: tuple[str, ...]) -> TensorProto:
    """Make what lies on a way, and return the tensor at its end."""
    found: Any = model
    for name in way:
        value = getattr(found, name)
        found = value.add() if hasattr(value, "add") else value
        found.SetInParent()
    assert isinstance(found, TensorProto)
    return found


def test_the_format_has_many_places_for_a_tensor() -> None:
    assert len(WAYS) > 20
    assert {("functions", "attribute_proto", "t"), ("training_info", "algorithm", "initializer")} <= set(WAYS)


@pytest.mark.parametrize("way", WAYS, ids=".".join)
def test_a_tensor_that_lies_outside_the_file_is_refused_wherever_it_is(way: tuple[str, ...]) -> None:
    model = plain()
    tensor = reached(model, way)
    assert [*every_tensor(model)] == [tensor]
    tensor.name, tensor.data_type = "secret", TensorProto.FLOAT
    tensor.external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(InvalidModel, match="'secret' are not in the file"):
        parse_model(model.SerializeToString())
    tensor.data_location = TensorProto.EXTERNAL
    del tensor.external_data[:]
    with pytest.raises(InvalidModel, match="'secret' are not in the file"):
        parse_model(model.SerializeToString())


@pytest.mark.parametrize(
    ("domain", "operator"), [("com.microsoft", "EPContext"), ("com.microsoft", "PythonOp"), ("trt.plugins", "any")]
)
def test_an_operator_that_runs_what_lies_outside_is_refused_in_a_body_too(domain: str, operator: str) -> None:
    model = plain()
    body = model.graph.node[0].attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g
    body.node.add(domain=domain, op_type=operator)
    assert len([*every_node(model)]) == 2
    with pytest.raises(InvalidModel, match=f"{domain}.{operator} runs what lies outside the file"):
        parse_model(model.SerializeToString())


def test_what_a_later_format_adds_does_not_reach_the_runtime() -> None:
    later = plain().SerializeToString() + b"\x9a\x3f\x03abc"
    assert parse_model(later).SerializeToString() == plain().SerializeToString()


def test_how_a_model_was_trained_does_not_reach_the_runtime() -> None:
    model = plain()
    model.training_info.add().algorithm.name = "step"
    assert parse_model(model.SerializeToString()) == plain()
