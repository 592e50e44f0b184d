"""From bytes to subjects."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from dropaudit import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit.subjects import Array
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors


def subject_of(ref: SubjectRef, content: Sequence[bytes]) -> Subject:
    """Return the files of a subject: models first, and then the archive of tensors, if there is one.

    Raises InvalidArgument for a value that is out of range.
    """
    match ref:
        case ArtifactRef():
            inputs = dict(_arrays(ref.inputs, content[1])) if ref.inputs else None
            return ArtifactSubject(content[0], ref.role, inputs, ref.keep_prob)
        case PairRef():
            inputs = dict(_arrays(ref.inputs, content[2])) if ref.inputs else None
            return PairSubject(content[0], content[1], inputs, ref.keep_prob)
        case RecordedRef():
            inference, *train = (array for _, array in _arrays(ref.tensors, content[0]))
            return RecordedSubject(inference, tuple(train), ref.keep_prob)


def _arrays(tensors: Tensors, content: bytes) -> list[tuple[str, Array]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return [(info.name, archive[str(position)]) for position, info in enumerate(tensors.infos)]
