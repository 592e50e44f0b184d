"""Claims about what a worker fetches for a record, and what its sandbox makes of that."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from dropaudit.plan import Role
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import BlobMissing, UriRefused
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_worker.sandbox.content import fetch, pieces
from dropaudit_worker.sandbox.subject_files import subject_of

NOWHERE = ReferencedModels(AllowedUris(()), 1 << 20)


def load_subject(ref: SubjectRef, blobs: BlobStore, referenced: ReferencedModels) -> Subject:
    material = fetch(ref, blobs, referenced)
    return subject_of(material.subject, [b"".join(pieces(each)) for each in material.content])


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path.as_uri())


def test_an_artifact_comes_with_its_role_inputs_and_keep_probability(blobs: BlobStore) -> None:
    inputs = blobs.put_tensors([("x", np.arange(3)), ("h/0", np.zeros((2, 2), np.float16))])
    ref = ArtifactRef(model=blobs.put(b"model"), role=Role.TRAIN, inputs=inputs, keep_prob=0.8)
    subject = load_subject(ref, blobs, NOWHERE)
    assert isinstance(subject, ArtifactSubject)
    assert (subject.model, subject.role, subject.keep_prob) == (b"model", Role.TRAIN, 0.8)
    assert subject.inputs is not None
    assert {name: (array.dtype.name, array.shape) for name, array in subject.inputs.items()} == {
        "x": ("int64", (3,)),
        "h/0": ("float16", (2, 2)),
    }


def test_a_pair_keeps_train_and_inference_apart(blobs: BlobStore) -> None:
    ref = PairRef(train=blobs.put(b"train"), inference=blobs.put(b"inference"))
    assert load_subject(ref, blobs, NOWHERE) == PairSubject(b"train", b"inference")


def test_recorded_outputs_begin_with_the_inference_output(blobs: BlobStore) -> None:
    tensors = blobs.put_tensors([("inference", np.zeros(2)), ("train0", np.ones(2)), ("train1", np.full(2, 2.0))])
    subject = load_subject(RecordedRef(tensors=tensors, keep_prob=0.5), blobs, NOWHERE)
    assert isinstance(subject, RecordedSubject)
    assert subject.inference.tolist() == [0, 0]
    assert [array.tolist() for array in subject.train] == [[1, 1], [2, 2]]
    assert subject.keep_prob == 0.5


def test_missing_content_is_named(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing, match="a" * 64):
        load_subject(ArtifactRef(model="a" * 64), blobs, NOWHERE)


def test_a_model_by_uri_is_read_where_it_lies(blobs: BlobStore, tmp_path: Path) -> None:
    place = tmp_path / "models"
    place.mkdir()
    for name in ("train", "inference"):
        (place / f"{name}.onnx").write_bytes(name.encode())
    referenced = ReferencedModels(AllowedUris([place.as_uri()]), 1 << 20)
    uris = [f"{place.as_uri()}/{name}.onnx" for name in ("train", "inference")]
    assert load_subject(ArtifactRef(uri=uris[0]), blobs, referenced) == ArtifactSubject(b"train")
    pair = PairRef(train_uri=uris[0], inference=blobs.put(b"stored"))
    assert load_subject(pair, blobs, referenced) == PairSubject(b"train", b"stored")
    with pytest.raises(UriRefused, match="allows none"):
        load_subject(PairRef(train=blobs.put(b"stored"), inference_uri=uris[1]), blobs, NOWHERE)


def test_nothing_that_leads_anywhere_goes_with_the_content(blobs: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"model")
    referenced = ReferencedModels(AllowedUris([tmp_path.as_uri()]), 1 << 20)
    inputs = blobs.put_tensors([("x", np.arange(3))])
    uri = f"{tmp_path.as_uri()}/model.onnx"
    refs = (
        ArtifactRef(uri=uri, inputs=inputs),
        PairRef(train=blobs.put(b"train"), inference_uri=uri),
        RecordedRef(tensors=inputs),
    )
    for ref in refs:
        said = msgspec.json.encode(fetch(ref, blobs, referenced).subject)
        assert inputs.sha256.encode() not in said
        assert b"file:" not in said
