"""Claims about models whose weights lie in other files."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from dropaudit import ArtifactSubject, PairSubject, Plan, Role, audit
from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.files.model_files import ModelContent, ModelFiles
from dropaudit.graph.reading.constants import values_of
from dropaudit.graph.reading.external.take_in import take_in
from dropaudit.graph.reading.load import parse_content, read_artifact
from dropaudit.measure.case import read
from dropaudit.measure.cases.inspect import inspect_model
from dropaudit.plan import Provider
from support.external import BIAS, FILE, WEIGHTS, bias, graph, place, weights, whole, write
from support.graphs import model

PLAN = Plan(provider=Provider.CPU, max_replicates=128)


def apart(folder: Path, proto: onnx.ModelProto | None = None, data: bytes | None = None) -> ModelFiles:
    """Write a model, and read it as one that is too large for one file."""
    return cast(ModelFiles, read_artifact(write(folder, proto, data), most=0))


def values(content: ModelContent) -> dict[str, np.ndarray]:
    draft = read(content.loaded() if isinstance(content, ModelFiles) else content)
    return {tensor.name: np.array(values_of(tensor)) for tensor in draft.proto.graph.initializer}


def test_as_many_bytes_as_one_file_may_have_are_taken_in_and_one_more_is_not(tmp_path: Path) -> None:
    path = write(tmp_path)
    size = path.stat().st_size + (tmp_path / FILE).stat().st_size
    assert read_artifact(path, most=size) == whole()
    assert isinstance(read_artifact(path, most=size - 1), ModelFiles)
    assert read_artifact(path) == whole()


def test_a_model_in_several_files_holds_what_it_holds_in_one(tmp_path: Path) -> None:
    found, expected = values(apart(tmp_path)), values(whole())
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_an_audit_of_several_files_says_what_that_of_one_says(tmp_path: Path) -> None:
    content = apart(tmp_path)
    several, one = (audit(ArtifactSubject(each, Role.TRAIN), PLAN) for each in (content, whole()))
    assert (several.verdict, several.findings) == (one.verdict, one.findings)
    assert several.sites == one.sites
    (artifact,) = several.execution.artifacts
    assert (artifact.sha256, artifact.bytes) == (content.sha256, content.size)
    pair = audit(PairSubject(content, content), PLAN)
    assert [each.sha256 for each in pair.execution.artifacts] == [content.sha256] * 2
    assert len(inspect_model(content)) == 1


def test_the_digest_is_of_all_files(tmp_path: Path) -> None:
    data = bytearray(WEIGHTS.tobytes() + BIAS.tobytes())
    digest = apart(tmp_path / "a", data=bytes(data)).sha256
    assert apart(tmp_path / "b", data=bytes(data)).sha256 == digest
    data[-1] ^= 1
    assert apart(tmp_path / "c", data=bytes(data)).sha256 != digest


def test_an_archive_is_read_as_the_files_that_it_holds(tmp_path: Path) -> None:
    content = apart(tmp_path)
    path = tmp_path / "model.tar"
    path.write_bytes(b"".join(content.chunks()))
    found = read_artifact(path)
    assert isinstance(found, ModelFiles)
    assert found.sha256 == content.sha256
    np.testing.assert_array_equal(values(found)["w"], WEIGHTS)


def test_weights_need_not_lie_at_a_multiple_of_their_size(tmp_path: Path) -> None:
    proto = graph(weights(offset="3"), bias(offset=str(3 + WEIGHTS.nbytes)))
    found = values(apart(tmp_path, proto, b"abc" + WEIGHTS.tobytes() + BIAS.tobytes()))
    np.testing.assert_array_equal(found["w"], WEIGHTS)
    np.testing.assert_array_equal(found["b"], BIAS)


def test_two_tensors_may_lie_at_one_place_and_a_tensor_in_a_file_of_its_own(tmp_path: Path) -> None:
    tmp_path.joinpath("sub").mkdir()
    for name in ("-a b\n'Ω'.bin", "sub/b.bin"):
        tmp_path.joinpath(name).write_bytes(BIAS.tobytes())
    for location in ("-a b\n'Ω'.bin", "./sub//b.bin"):
        found = values(apart(tmp_path, graph(weights(), bias(location=location, offset="0"))))
        np.testing.assert_array_equal(found["b"], BIAS)
    found = values(apart(tmp_path, graph(weights(), bias(offset="0"))))
    np.testing.assert_array_equal(found["b"], WEIGHTS.ravel()[:128])


WRONG = {
    "beyond the end": ({"offset": "4"}, "bytes 4 to 32772"),
    "a huge offset": ({"offset": str(10**17)}, "bring the whole file"),
    "a longer offset": ({"offset": "9" * 5000}, "have the offset"),
    "below zero": ({"offset": "-1"}, "have the offset"),
    "not a number": ({"offset": "0x10"}, "have the offset"),
    "digits of another script": ({"offset": "\u0663"}, "have the offset"),
    "too short": ({"length": "8"}, "take 32768 bytes by their type and shape, and 8"),
    "too long": ({"length": str(1 << 40)}, "by their external data"),
}


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("most", [0, 1 << 30])
def test_a_place_that_the_file_does_not_have_is_refused(tmp_path: Path, way: str, most: int) -> None:
    entries, why = WRONG[way]
    path = write(tmp_path, graph(weights(**entries), bias(offset="0")), WEIGHTS.tobytes())
    with pytest.raises(InvalidModel, match=why):
        values(read_artifact(path, most=most))


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret.bin", "a\0b", "", "missing.bin"])
def test_nothing_outside_the_files_is_ever_opened(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(WEIGHTS.tobytes())
    proto = graph(weights(location=location), bias())
    with pytest.raises(UnreadableFile, match="not in a file below its own folder"):
        apart(tmp_path / "own", proto)
    content = ModelFiles(proto.SerializeToString(), apart(tmp_path / "own").data)
    with pytest.raises(InvalidModel, match=r"below the model's own folder|not there"):
        values(content)


def test_a_tensor_that_claims_to_be_held_already_is_looked_for_among_the_files(tmp_path: Path) -> None:
    kept = read(apart(tmp_path).loaded())
    held = kept.proto.graph.initializer[2].external_data[0].value
    with pytest.raises(InvalidModel, match="not there"):
        values(ModelFiles(graph(weights(location=held), bias()).SerializeToString(), apart(tmp_path).data))


def test_constants_of_bodies_nodes_and_functions_are_taken_in(tmp_path: Path) -> None:
    header = '<ir_version: 8, opset_import: ["" : 17, "me" : 1]>'
    proto = onnx.load_from_string(
        model(
            """g (float[N,64] x, bool c) => (float[N,128] y) {
                w = Constant<value = float[1] {0}>()
                h = me.f(x, w)
                y = If(c) <then_branch = a () => (float[N,128] z) <float[1] v = {0}> { z = Add(h, v) },
                           else_branch = b () => (float[N,128] z) { z = Neg(h) }>
            }
            <domain: "me", opset_import: ["" : 17]>
            f <k: tensor = float[1] {0}> (x, w) => (y) {
                d = Constant<value: tensor = @k>()  h = MatMul(x, w)  y = Add(h, d)
            }
            """,
            header,
        )
    )
    branch = proto.graph.node[2].attribute[0].g
    tensors = [proto.graph.node[0].attribute[0].t, branch.initializer[0], proto.functions[0].attribute_proto[0].t]
    for tensor, source in zip(tensors, (weights(), bias(), bias()), strict=True):
        tensor.CopyFrom(source)
    parsed, _ = parse_content(apart(tmp_path, proto).loaded())
    read_tensors = [
        numpy_helper.to_array(attribute.t)
        for node in parsed.graph.node
        for attribute in node.attribute
        if attribute.type == onnx.AttributeProto.TENSOR
    ]
    assert sorted(each.size for each in read_tensors) == [BIAS.size, WEIGHTS.size]
    assert all(np.array_equal(each, WEIGHTS if each.size == WEIGHTS.size else BIAS) for each in read_tensors)


def test_what_lies_in_the_graph_itself_is_bounded(tmp_path: Path) -> None:
    content = apart(tmp_path)
    with pytest.raises(InvalidModel, match="would lie in the graph itself"):
        take_in(graph(), content.data, most=1000)


def test_weights_that_may_be_fed_keep_their_values(tmp_path: Path) -> None:
    proto = graph()
    proto.graph.input.append(onnx.helper.make_tensor_value_info("w", TensorProto.FLOAT, WEIGHTS.shape))
    draft = read(apart(tmp_path, proto).loaded())
    tensor = next(each for each in draft.proto.graph.initializer if each.name == "w")
    assert tensor.raw_data == WEIGHTS.tobytes()


def test_types_that_share_bytes_take_as_many_as_they_need(tmp_path: Path) -> None:
    for kind, extent, size in ((TensorProto.UINT4, 5, 3), (TensorProto.BFLOAT16, 5, 10), (TensorProto.BOOL, 5, 5)):
        tensor = place(TensorProto(name="b", data_type=kind, dims=[extent]), location=FILE, length=str(size))
        take_in_one = onnx.ModelProto()
        take_in_one.graph.initializer.append(tensor)
        take_in(take_in_one, apart(tmp_path).data)
        assert take_in_one.graph.initializer[0].raw_data == WEIGHTS.tobytes()[:size]
    for unknown in (int(TensorProto.STRING), int(TensorProto.UNDEFINED), 99):
        other = onnx.ModelProto()
        other.graph.initializer.append(TensorProto(name="b", dims=[1]))
        place(other.graph.initializer[0], location=FILE).data_type = unknown
        with pytest.raises(InvalidModel, match="type"):
            take_in(other, apart(tmp_path).data)


def test_a_data_file_that_changes_before_it_is_read_is_refused_and_afterwards_changes_nothing(tmp_path: Path) -> None:
    content = apart(tmp_path)
    loaded = content.loaded()
    (tmp_path / FILE).write_bytes(b"other")
    np.testing.assert_array_equal(values(loaded)["w"], WEIGHTS)
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        audit(ArtifactSubject(content), PLAN)


def test_a_model_in_many_files_is_read(tmp_path: Path) -> None:
    proto = onnx.load_from_string(whole())
    names = [f"w{number}" for number in range(300)]
    for name in names:
        (tmp_path / f"{name}.bin").write_bytes(BIAS.tobytes())
        proto.graph.initializer.append(place(numpy_helper.from_array(BIAS, name), location=f"{name}.bin"))
    found = apart(tmp_path, proto)
    assert len(found.data) == 300
    assert sum(map(len, found.chunks())) == found.size
