"""Titles of audits: the names of the files that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dropaudit.shortening import cut
from dropaudit_store.records import ArtifactRef, PairRef, SubjectRef
from dropaudit_store.shared.byte_limits import NAME_BYTES, TITLE_BYTES


def file_names(subject: SubjectRef, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the name of each file of a subject, the train artifact's first; empty where none is known.

    Args:
        names: of stored models, by SHA-256. A file at a URI has its last part as its name.
    """
    match subject:
        case ArtifactRef(model=model, uri=uri):
            return (_name(model, uri, names),)
        case PairRef():
            train = _name(subject.train, subject.train_uri, names)
            return (train, _name(subject.inference, subject.inference_uri, names))
    return ()


def title(names: Sequence[str]) -> str:
    """Return what an audit of files is shown as."""
    return cut(" + ".join(filter(None, names)), TITLE_BYTES)


def _name(model: str, uri: str, names: Mapping[str, str]) -> str:
    return cut(uri.rpartition("/")[2] if uri else names.get(model, ""), NAME_BYTES)
