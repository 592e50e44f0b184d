"""Claims about synthesized and given inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper, parser

from dropaudit.errors import InvalidModel, InvalidTensor, UnreadableFile
from dropaudit.graph.reading.load import parse_model, read_artifact
from dropaudit.graph.reading.scope import main_scope
from dropaudit.graph.reading.signature import signature
from dropaudit.inputs import Feeds, batch_extent, fixed_extents, make_feeds, read_npy, read_npz
from support.graphs import HEADER, model

NONE: frozenset[str] = frozenset()


def feeds_of(content: bytes, seed: int = 0) -> Feeds:
    specs = signature(main_scope(parse_model(content)))
    return make_feeds(specs, None, NONE, {}, np.random.default_rng(seed))


def test_free_dimensions_are_eight_for_the_batch_and_sixteen_otherwise() -> None:
    feeds = feeds_of(model("g (float[time,batch,3] x) => (float[time,batch,3] y) { y = Relu(x) }"))
    assert feeds.arrays["x"].shape == (16, 8, 3)
    assert feeds.batch_axes[0] == {"x": 1}


def test_a_large_model_gets_a_batch_of_two() -> None:
    assert [batch_extent(weights) for weights in (0, 2**24 - 1, 2**24, 2**30)] == [8, 8, 2, 2]
    specs = signature(
        main_scope(parse_model(model("g (float[time,batch,3] x) => (float[time,batch,3] y) { y = Relu(x) }")))
    )
    feeds = make_feeds(specs, None, NONE, {}, np.random.default_rng(0), batch=2)
    assert feeds.arrays["x"].shape == (16, 2, 3)


def test_a_given_array_tells_the_batch_of_the_others() -> None:
    content = model("g (float[batch,3] x, float[batch,3] z) => (float[batch,3] y) { y = Add(x, z) }")
    specs = signature(main_scope(parse_model(content)))
    given = {"x": np.ones((5, 3), dtype=np.float32)}
    assert make_feeds(specs, given, NONE, {}, np.random.default_rng(0), batch=2).arrays["z"].shape == (5, 3)


@pytest.mark.parametrize("name", ["x", "renamed"])
def test_the_other_artifact_of_a_pair_tells_free_dimensions(name: str) -> None:
    ours, theirs = (
        signature(
            main_scope(parse_model(model(f"g (float[{dims}] {name}) => (float[{dims}] y) {{ y = Relu({name}) }}")))
        )
        for dims, name in (("batch,time,4", "x"), ("1,steps,4", name))
    )
    fixed = fixed_extents(ours, theirs)
    assert fixed == {"batch": 1}
    rng = np.random.default_rng(0)
    assert make_feeds(ours, None, NONE, {}, rng, fixed=fixed).arrays["x"].shape == (1, 16, 4)
    given = {"x": np.ones((5, 3, 4), dtype=np.float32)}
    assert make_feeds(ours, given, NONE, {}, rng, fixed=fixed).arrays["x"].shape == (5, 3, 4)
    assert fixed_extents(theirs, theirs) == {}


def test_without_a_telling_name_the_first_axis_is_the_batch() -> None:
    feeds = feeds_of(model("g (float[P,Q] x, float[P,5] z) => (float[P,Q] y) { y = Relu(x) }"))
    assert feeds.arrays["x"].shape == (8, 16)
    assert feeds.batch_axes[0] == {"x": 0, "z": 0}


def test_floats_are_standard_normal_and_seeded() -> None:
    content = model("g (float[N,4000] x) => (float[N,4000] y) { y = Relu(x) }")
    first, second, other = (feeds_of(content, seed).arrays["x"] for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert abs(float(first.mean())) < 0.03
    assert float(first.std()) == pytest.approx(1.0, abs=0.03)


def test_ids_stay_below_the_table_they_index() -> None:
    proto = parser.parse_model(f"{HEADER} g (int64[N,50] ids) => (float[N,50,2] y) {{ y = Gather(table, ids) }}")
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros((7, 2), dtype=np.float32), "table"))
    ids = feeds_of(proto.SerializeToString()).arrays["ids"]
    assert set(np.unique(ids)) == set(range(7))


def test_flags_are_true() -> None:
    assert feeds_of(model("g (bool[N] f) => (bool[N] y) { y = Not(f) }")).arrays["f"].all()


def test_inputs_that_are_no_tensors_are_refused() -> None:
    with pytest.raises(InvalidModel, match="sequence_type"):
        feeds_of(model("g (seq(float[N]) x) => (float[N] y) { y = ConcatFromSequence<axis = 0>(x) }"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for read in (read_npy, read_npz, read_artifact):
        with pytest.raises(UnreadableFile, match="No such file"):
            read(tmp_path / "missing")
        with pytest.raises(UnreadableFile, match="directory"):
            read(tmp_path)


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    text, array, archive = tmp_path / "text", tmp_path / "a.npy", tmp_path / "a.npz"
    text.write_text("hello")
    np.save(array, np.ones(3))
    np.savez(archive, x=np.ones(3))
    for read in (read_npy, read_npz):
        with pytest.raises(InvalidTensor, match="not a numpy file"):
            read(text)
    with pytest.raises(InvalidTensor, match="archive"):
        read_npy(archive)
    with pytest.raises(InvalidTensor, match="single array"):
        read_npz(array)
    assert read_npz(archive)["x"].tolist() == [1.0, 1.0, 1.0]


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidTensor, match="not a numpy file"):
        read_npy(tmp_path / "a.npy")


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(1000))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidTensor, match="damaged"):
        read_npz(path)
