"""Models outside the store, for members that are not stored models. Only workers can look there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dropaudit_store.records import (
    ArtifactRef,
    Member,
    MlflowModel,
    PairPattern,
    PairRef,
    Suite,
    TritonRepository,
    UriGlob,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A file outside the store: what people call it, its version, where it lies, and its content's SHA-256."""

    name: str
    uri: str
    version: int = 0
    sha256: str = ""


class Outside(Protocol):
    """Finds files outside the store. Every method raises StoreError where a place may not, or cannot, be read."""

    def matching(self, pattern: str) -> list[str]:
        """Return the URIs that match, in order."""
        ...

    def digest(self, uri: str) -> str:
        """Return the SHA-256 of a file's content."""
        ...

    def repository(self, found: TritonRepository) -> list[Placed]:
        """Return the newest version of each model of a repository, in the order of names."""
        ...

    def registered(self, uri: str) -> Placed:
        """Return a model of the MLflow registry; its content is stored then, and its URI empty."""
        ...


def is_outside(member: Member) -> bool:
    """Whether a member cannot be resolved without a look outside the store."""
    match member:
        case ArtifactRef(uri=uri):
            return bool(uri)
        case PairRef(train_uri=train, inference_uri=inference):
            return bool(train or inference)
        case PairPattern(train=train, inference=inference):
            return is_uri(train) or is_uri(inference)
    return isinstance(member, UriGlob | TritonRepository | MlflowModel)


def has_outside(suite: Suite) -> bool:
    """Whether a suite cannot be resolved without a look outside the store."""
    return any(map(is_outside, suite.members))


def is_uri(text: str) -> bool:
    """Whether this is a URI rather than a name."""
    return "://" in text
