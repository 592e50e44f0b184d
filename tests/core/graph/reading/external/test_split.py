"""Claims about large models in one file: their weights are taken out of the graph where they lie, and not copied."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.files.data_files import InMemory, OnDisk
from dropaudit.files.model_files import ModelFiles, chunks_of, loaded, sha256_of, size_of
from dropaudit.graph.reading.constants import values_of
from dropaudit.graph.reading.external.split import OfBytes, OfFile, OfStream
from dropaudit.graph.reading.held_weights import LARGE_WEIGHTS, held_values, set_values
from dropaudit.graph.reading.load import parse_content, read_artifact, weights_apart
from dropaudit.plan import Provider
from support.external import BIAS, WEIGHTS, graph, weights, whole

PLAN = Plan(provider=Provider.CPU, max_replicates=128)
Apart = Callable[[Path, bytes], ModelFiles | None]
W = numpy_helper.from_array(WEIGHTS, "w")
B = numpy_helper.from_array(BIAS, "b")


def of_bytes(_: Path, content: bytes) -> ModelFiles | None:
    return weights_apart(OfBytes(content), len(content))


def of_stream(_: Path, content: bytes) -> ModelFiles | None:
    return weights_apart(OfStream(io.BytesIO(content)), len(content))


def of_file(folder: Path, content: bytes) -> ModelFiles | None:
    path = folder / "one.onnx"
    path.write_bytes(content)
    with path.open("rb") as file:
        return weights_apart(OfFile(file, OnDisk.at(path)), len(content))


def with_weights(*tensors: TensorProto) -> bytes:
    content: bytes = graph(*tensors).SerializeToString()
    return content


def large() -> bytes:
    """Return a model whose weights take as much as is worth taking apart, and are not aligned in its file."""
    rows = LARGE_WEIGHTS // (4 * 1024)
    values = np.random.default_rng(0).standard_normal((rows, 1024)).astype(np.float32) / 64
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="product"),
        helper.make_node("Dropout", ["h", "r", "t"], ["y"], name="dropout"),
    ]
    constants = {"w": values, "r": np.float32(0.3), "t": np.bool_(True)}
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1024])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="a")
    content: bytes = proto.SerializeToString()
    return content


@pytest.mark.parametrize("apart", [of_bytes, of_stream, of_file])
def test_the_model_and_the_file_that_stands_for_it_are_the_same(apart: Apart, tmp_path: Path) -> None:
    content = with_weights(W, B)
    found = apart(tmp_path, content)
    assert found is not None
    assert len(found.graph) < len(content) - WEIGHTS.nbytes + 100
    assert b"".join(map(bytes, chunks_of(found))) == content
    assert (size_of(found), sha256_of(found)) == (len(content), hashlib.sha256(content).hexdigest())
    model, held = parse_content(loaded(found))
    assert len(held) == 1
    weight = next(each for each in model.graph.initializer if held_values(each))
    set_values(weight, values_of(weight).tobytes())
    assert model == parse_content(content)[0]


def test_weights_are_held_where_they_were_received() -> None:
    found = of_stream(Path(), with_weights(W, B))
    assert found is not None
    (values,) = found.data.values()
    assert isinstance(values, InMemory)
    model, _held = parse_content(found)
    held = next(filter(None, map(held_values, model.graph.initializer)))
    assert np.shares_memory(held.values, np.frombuffer(values.values, np.uint8))


def test_a_file_on_the_disk_is_read_when_it_is_wanted_and_refused_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    content = large()
    path.write_bytes(content)
    found = read_artifact(path)
    assert isinstance(found, ModelFiles)
    assert all(isinstance(each, OnDisk) for each in (*found.data.values(), found.packed))
    assert b"".join(map(bytes, chunks_of(found))) == content
    path.write_bytes(content + b"\0")
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        found.loaded()


def test_an_audit_says_the_same_of_the_file_and_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    content = large()
    path.write_bytes(content)
    file, given = (audit(ArtifactSubject(each, Role.TRAIN), PLAN) for each in (read_artifact(path), content))
    assert (file.verdict, file.findings, file.sites) == (given.verdict, given.findings, given.sites)
    assert file.execution.artifacts == given.execution.artifacts


def odd(change: Callable[[TensorProto], object]) -> TensorProto:
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    change(tensor)
    return tensor


@pytest.mark.parametrize(
    "tensor",
    [
        odd(lambda tensor: tensor.float_data.append(1.0)),
        odd(lambda tensor: tensor.dims.append(2)),
        odd(lambda tensor: setattr(tensor, "data_type", 99)),
        odd(lambda tensor: setattr(tensor, "data_type", TensorProto.BFLOAT16)),
        odd(lambda tensor: tensor.segment.CopyFrom(TensorProto.Segment(begin=0, end=1))),
    ],
)
def test_weights_that_are_not_plain_stay_in_the_graph(tensor: TensorProto) -> None:
    found = of_stream(Path(), with_weights(tensor, numpy_helper.from_array(WEIGHTS, "other")))
    assert found is not None
    kept = onnx.load_from_string(found.graph).graph.initializer
    assert [each for each in kept if each.name == "w"] == [tensor]


def field(number: int, body: bytes) -> bytes:
    """Return a field of a protobuf that holds bytes."""
    length, told = len(body), bytearray()
    while length > 0x7F:
        told.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *told, length]) + body


def test_values_that_are_given_twice_are_the_last_as_protobuf_has_it() -> None:
    twice = field(9, bytes(WEIGHTS.nbytes)) + W.SerializeToString()
    content = with_weights(numpy_helper.from_array(WEIGHTS, "other")) + field(7, field(5, twice))
    found = of_stream(Path(), content)
    assert found is not None
    assert len(found.data) == 1
    read, expected = (onnx.load_from_string(each).graph.initializer[-1] for each in (found.graph, content))
    assert read == expected == W


def test_fields_may_come_in_any_order_and_a_graph_in_two_parts() -> None:
    values = field(9, W.raw_data)
    rest = TensorProto(name="w", data_type=W.data_type, dims=W.dims).SerializeToString()
    content = with_weights(B) + field(7, field(5, values + rest))
    found = of_stream(Path(), content)
    assert found is not None
    model, _held = parse_content(found)
    assert np.array_equal(values_of(model.graph.initializer[-1]), WEIGHTS)


@pytest.mark.parametrize("apart", [of_bytes, of_stream, of_file])
@pytest.mark.parametrize("length", [0, 1, 100, 5000, 20_000, -1])
def test_what_is_cut_off_is_no_model_and_is_taken_to_its_end(apart: Apart, length: int, tmp_path: Path) -> None:
    assert apart(tmp_path, with_weights(W, B)[:length]) is None


@pytest.mark.parametrize(
    "content",
    [
        with_weights(B),
        with_weights(W, B) + b"\x07",
        with_weights(W, B) + b"\xff" * 20,
        with_weights(W, B) + b"\x00\x00",
        field(7, field(5, field(9, bytes(1 << 15)))),
    ],
)
def test_a_stream_of_what_cannot_be_taken_apart_can_still_be_had_whole(content: bytes) -> None:
    source = OfStream(io.BytesIO(content))
    assert weights_apart(source, len(content)) is None
    assert bytes(source.whole.content()) == content


def test_weights_that_are_said_to_lie_elsewhere_are_not_looked_for_among_those_of_the_file() -> None:
    content = with_weights(W, weights(location="0"))
    assert of_bytes(Path(), content) is None
    with pytest.raises(InvalidModel, match="not in the file"):
        parse_content(content)


def test_what_is_small_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    path.write_bytes(whole())
    assert read_artifact(path) == whole()


def test_a_file_of_very_many_small_fields_is_left_to_the_parser() -> None:
    # Each of them, an empty node, is two bytes.
    nodes = b"\x0a\x00" * 600_000
    content = (
        with_weights(W, B)
        + b"\x3a"
        + bytes([len(nodes) & 0x7F | 0x80, len(nodes) >> 7 & 0x7F | 0x80])
        + (bytes([len(nodes) >> 14]) + nodes)
    )
    stream = OfStream(io.BytesIO(content))
    assert weights_apart(stream, len(content)) is None
    assert b"".join(stream.whole.chunks()) == content
