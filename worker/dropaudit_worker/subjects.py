"""From records to subjects: loads what a record names."""

from __future__ import annotations

from dropaudit import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit.subjects import Inputs
from dropaudit_store.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors


def load_subject(ref: SubjectRef, blobs: BlobStore) -> Subject:
    """Load models and tensors. Raises BlobMissing and, for values out of range, InvalidArgument."""
    match ref:
        case ArtifactRef():
            return ArtifactSubject(blobs.read(ref.model), ref.role, _inputs(ref.inputs, blobs), ref.keep_prob)
        case PairRef():
            train, inference = blobs.read(ref.train), blobs.read(ref.inference)
            return PairSubject(train, inference, _inputs(ref.inputs, blobs), ref.keep_prob)
        case RecordedRef():
            inference_output, *train_outputs = (array for _, array in blobs.read_tensors(ref.tensors))
            return RecordedSubject(inference_output, tuple(train_outputs), ref.keep_prob)


def _inputs(tensors: Tensors | None, blobs: BlobStore) -> Inputs | None:
    return None if tensors is None else dict(blobs.read_tensors(tensors))
