"""The part of a subject that a sandbox gets: its description and its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors

_CHUNK_BYTES = 1 << 20
# From here on content is not held by whoever passes it on.
LARGE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """Content of a known length that is read while it is sent."""

    size: int
    chunks: Callable[[], Iterator[bytes]]


Content = bytes | Streamed


def length(content: Content) -> int:
    """Return the length of content in bytes."""
    return len(content) if isinstance(content, bytes) else content.size


def pieces(content: Content) -> Iterator[bytes]:
    """Yield content piece by piece."""
    if isinstance(content, bytes):
        yield content
    else:
        yield from content.chunks()


@dataclass(frozen=True, slots=True)
class Material:
    """A subject as a sandbox gets it: its description, without names that lead anywhere, and its content."""

    subject: SubjectRef
    content: tuple[Content, ...]


def stored(blobs: BlobStore, sha256: str) -> Content:
    """Return stored content: in memory where it is small, else to be read on its way. Raises BlobMissing."""
    size = blobs.size(sha256)
    if size < LARGE_BYTES:
        return blobs.read(sha256)
    return Streamed(size, lambda: blobs.chunks(sha256, _CHUNK_BYTES))


def outside(referenced: ReferencedModels, uri: str) -> Content:
    """Return content that was not uploaded, as `stored` does. Raises what `ReferencedModels.read` does."""
    size = referenced.size(uri)
    return referenced.read(uri) if size < LARGE_BYTES else Streamed(size, lambda: referenced.chunks(uri, size))


def fetch(ref: SubjectRef, blobs: BlobStore, referenced: ReferencedModels) -> Material:
    """Fetch what a subject names.

    Raises:
        BlobMissing: stored content is gone.
        UriRefused, UriUnreadable, ContentTooLarge: a model that was not uploaded cannot be read.
    """

    def model(sha256: str, uri: str) -> Content:
        return outside(referenced, uri) if uri else stored(blobs, sha256)

    def archive(tensors: Tensors | None) -> tuple[bytes, ...]:
        return () if tensors is None else (blobs.read(tensors.sha256),)

    match ref:
        case ArtifactRef():
            content: tuple[Content, ...] = (model(ref.model, ref.uri), *archive(ref.inputs))
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
