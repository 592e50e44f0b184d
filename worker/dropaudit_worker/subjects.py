"""From records to subjects: loads what a record names."""

from __future__ import annotations

from dropaudit import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit.subjects import Inputs
from dropaudit_store.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors
from dropaudit_store.referenced import ReferencedModels


def load_subject(ref: SubjectRef, blobs: BlobStore, referenced: ReferencedModels) -> Subject:
    """Load models and tensors.

    Raises:
        BlobMissing: stored content is gone.
        UriRefused, UriUnreadable, ContentTooLarge: a model that was not uploaded cannot be read.
        InvalidArgument: a value is out of range.
    """

    def model(sha256: str, uri: str) -> bytes:
        return referenced.read(uri) if uri else blobs.read(sha256)

    match ref:
        case ArtifactRef():
            content = model(ref.model, ref.uri)
            return ArtifactSubject(content, ref.role, _inputs(ref.inputs, blobs), ref.keep_prob)
        case PairRef():
            train, inference = model(ref.train, ref.train_uri), model(ref.inference, ref.inference_uri)
            return PairSubject(train, inference, _inputs(ref.inputs, blobs), ref.keep_prob)
        case RecordedRef():
            inference_output, *train_outputs = (array for _, array in blobs.read_tensors(ref.tensors))
            return RecordedSubject(inference_output, tuple(train_outputs), ref.keep_prob)


def _inputs(tensors: Tensors | None, blobs: BlobStore) -> Inputs | None:
    return None if tensors is None else dict(blobs.read_tensors(tensors))
