"""Claims about what a model may ask for, and where its weights may lie."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.graph.facts.compute_estimate import shapes_of
from dropaudit.graph.reading.limits import DEEPEST, MOST_ELEMENTS, MOST_NODES
from dropaudit.graph.reading.load import parse_content, parse_model, read_artifact
from dropaudit.graph.reading.shapes import carried_values
from dropaudit.graph.reading.unique_names import name_nodes
from support.graphs import model

WEIGHT = np.arange(8, dtype=np.float32)


def chain(nodes: int) -> bytes:
    names = ["x", *(f"a{number}" for number in range(nodes - 1)), "y"]
    body = "\n".join(f"{after} = Relu({before})" for before, after in pairwise(names))
    return model(f"g (float[2] x) => (float[2] y) {{ {body} }}")


def sized(*dims: int) -> bytes:
    shape = ", ".join(map(str, dims))
    return model(
        f"""g (float[N] x) => (float[N] y) <int64[{len(dims)}] s = {{{shape}}}> {{
            a = ConstantOfShape(s)  t = ReduceMax<keepdims = 0>(a)  y = Add(x, t)
        }}"""
    )


def test_as_many_operators_as_may_be_are_taken_and_one_more_is_not() -> None:
    assert len(parse_model(chain(MOST_NODES)).graph.node) == MOST_NODES
    with pytest.raises(InvalidModel, match=f"at most {MOST_NODES}"):
        parse_model(chain(MOST_NODES + 1))


def test_a_tensor_as_large_as_may_be_is_taken_and_a_larger_one_is_named() -> None:
    assert parse_model(sized(MOST_ELEMENTS))
    with pytest.raises(InvalidModel, match=f"tensor 'a' would have the shape 2x{MOST_ELEMENTS}"):
        parse_model(sized(2, MOST_ELEMENTS))


def nested(depth: int) -> bytes:
    body = "z = Relu(x)"
    for level in range(depth):
        other = "e () => (float[2] e) { e = Neg(x) }"
        body = f"z = If(c) <then_branch = t{level} () => (float[2] z) {{ {body} }}, else_branch = {other}>"
    return model(f"g (float[2] x, bool c) => (float[2] z) {{ {body} }}")


def test_bodies_in_bodies_are_taken_down_to_a_depth() -> None:
    assert parse_model(nested(DEEPEST - 1))
    with pytest.raises(InvalidModel, match=f"more than {DEEPEST} deep"):
        parse_model(nested(DEEPEST))


def test_naming_many_operators_alike_takes_no_longer_for_each() -> None:
    names = [node.name for node in name_nodes(parse_model(chain(20_000))).graph.node]
    assert len(set(names)) == 20_000
    assert (names[0], names[-1]) == ("Relu_0", "Relu_19999")


def beside(folder: Path, location: str) -> Path:
    """Write a model whose weight lies at a location."""
    proto = onnx.load_from_string(model("g (float[8] x) => (float[8] y) { y = Add(x, w) }"))
    tensor = numpy_helper.from_array(WEIGHT, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    proto.graph.initializer.append(tensor)
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_external_data_beside_a_model_is_taken_in(tmp_path: Path) -> None:
    path = beside(tmp_path / "own", "weights.bin")
    (tmp_path / "own" / "weights.bin").write_bytes(WEIGHT.tobytes())
    (tensor,) = parse_content(read_artifact(path))[0].graph.initializer
    assert numpy_helper.to_array(tensor).tolist() == WEIGHT.tolist()


@pytest.mark.parametrize("way", ["absolute", "up", "link", "folder link", "pipe", "missing", "NUL"])
def test_external_data_anywhere_else_is_refused_with_where_it_would_be(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(WEIGHT.tobytes())
    locations = {"absolute": str(secret), "up": "../secret.bin", "folder link": "out/secret.bin", "NUL": "a\0b"}
    path = beside(tmp_path / "own", locations.get(way, "weights.bin"))
    if way == "link":
        (path.parent / "weights.bin").symlink_to(secret)
    if way == "folder link":
        (path.parent / "out").symlink_to(tmp_path)
    if way == "pipe":
        os.mkfifo(path.parent / "weights.bin")
    with pytest.raises(UnreadableFile, match="not in a file below its own folder"):
        read_artifact(path)


def test_content_by_itself_has_no_external_data(tmp_path: Path) -> None:
    path = beside(tmp_path / "own", "weights.bin")
    (tmp_path / "own" / "weights.bin").write_bytes(WEIGHT.tobytes())
    with pytest.raises(InvalidModel, match="'w' are not in the file"):
        parse_model(path.read_bytes())


def doubled(start: str, times: int) -> bytes:
    steps = "\n".join(f"a{each + 1} = Concat<axis = 0>(a{each}, a{each})" for each in range(times))
    return model(f"g (float[2] x) => (float[N] y) {{ {start} {steps}  y = ConstantOfShape(a{times}) }}")


@pytest.mark.parametrize("start", ["a0 = Shape(x)", "a0 = Constant<value_ints = [1, 1]>()"])
def test_a_chain_of_concats_is_looked_at_in_memory_that_does_not_double(start: str) -> None:
    assert len(parse_model(doubled(start, 3)).graph.node) == 5
    # Written down, fifty steps would take petabytes.
    with pytest.raises(InvalidModel, match=r"'a3[01]' would have the shape 2147483648"):
        parse_model(doubled(start, 50))


def test_what_a_chain_of_concats_carries_is_known_beforehand() -> None:
    few, many = (carried_values(onnx.load_from_string(doubled("a0 = Shape(x)", times))) for times in (1, 50))
    assert few < 1000
    assert many > 2**50


def test_large_weights_do_not_keep_shapes_from_being_followed() -> None:
    weights = numpy_helper.from_array(np.zeros((2048, 2048), np.float32), "w")
    large = onnx.load_from_string(
        model("g (float[3,2048] x) => (float[M,N] y) { h = MatMul(x, w)  s = Shape(h)  y = ConstantOfShape(s) }")
    )
    large.graph.initializer.append(weights)
    assert shapes_of(large, {})["y"] == (3, 2048)
