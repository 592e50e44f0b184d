"""The part of a subject that a sandbox gets: its description and its content."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors


@dataclass(frozen=True, slots=True)
class Material:
    """A subject as a sandbox gets it: its description, without names that lead anywhere, and its content."""

    subject: SubjectRef
    content: tuple[bytes, ...]


def fetch(ref: SubjectRef, blobs: BlobStore, referenced: ReferencedModels) -> Material:
    """Fetch what a subject names.

    Raises:
        BlobMissing: stored content is gone.
        UriRefused, UriUnreadable, ContentTooLarge: a model that was not uploaded cannot be read.
    """

    def model(sha256: str, uri: str) -> bytes:
        return referenced.read(uri) if uri else blobs.read(sha256)

    def archive(tensors: Tensors | None) -> tuple[bytes, ...]:
        return () if tensors is None else (blobs.read(tensors.sha256),)

    match ref:
        case ArtifactRef():
            content = (model(ref.model, ref.uri), *archive(ref.inputs))
        case PairRef():
            models = (model(ref.train, ref.train_uri), model(ref.inference, ref.inference_uri))
            content = (*models, *archive(ref.inputs))
        case RecordedRef():
            content = archive(ref.tensors)
    return Material(_nameless(ref), content)


def _nameless(ref: SubjectRef) -> SubjectRef:
    def infos(tensors: Tensors | None) -> Tensors | None:
        return None if tensors is None else msgspec.structs.replace(tensors, sha256="")

    match ref:
        case ArtifactRef():
            return ArtifactRef(role=ref.role, inputs=infos(ref.inputs), keep_prob=ref.keep_prob)
        case PairRef():
            return PairRef(inputs=infos(ref.inputs), keep_prob=ref.keep_prob)
        case RecordedRef():
            return RecordedRef(tensors=msgspec.structs.replace(ref.tensors, sha256=""), keep_prob=ref.keep_prob)
