"""From bytes to subjects."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from dropaudit import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit.errors import InvalidTensor
from dropaudit.files.archive import is_archive
from dropaudit.files.model_files import ModelContent, ModelFiles
from dropaudit.files.unpacking import unpack
from dropaudit.graph.reading.external.split import OfStream
from dropaudit.graph.reading.load import weights_apart
from dropaudit.subjects import Array
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors

# A file, an archive of files where it was received, or a large model whose weights are.
Content = bytes | memoryview | ModelFiles


def received(stream: io.BufferedIOBase, size: int) -> Content:
    """Return what comes in, so many bytes; of a large model the weights apart."""
    source = OfStream(stream)
    return weights_apart(source, size) or b"".join(source.whole.chunks())


def model_of(content: Content) -> ModelContent:
    """Return a model in one file, or in the files of an archive. Raises InvalidModel."""
    if isinstance(content, ModelFiles):
        return content
    return unpack(content) if is_archive(content) else bytes(content)


def subject_of(ref: SubjectRef, content: Sequence[Content]) -> Subject:
    """Return the files of a subject: models first, and then the archive of tensors, if there is one.

    Raises InvalidArgument for a value that is out of range, InvalidModel for a bad archive.
    """
    match ref:
        case ArtifactRef():
            inputs = dict(_arrays(ref.inputs, content[1])) if ref.inputs else None
            return ArtifactSubject(model_of(content[0]), ref.role, inputs, ref.keep_prob)
        case PairRef():
            inputs = dict(_arrays(ref.inputs, content[2])) if ref.inputs else None
            return PairSubject(model_of(content[0]), model_of(content[1]), inputs, ref.keep_prob)
        case RecordedRef():
            inference, *train = (array for _, array in _arrays(ref.tensors, content[0]))
            return RecordedSubject(inference, tuple(train), ref.keep_prob)


def _arrays(tensors: Tensors, content: Content) -> list[tuple[str, Array]]:
    if isinstance(content, ModelFiles):
        raise InvalidTensor("the tensors are an ONNX model")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return [(info.name, archive[str(position)]) for position, info in enumerate(tensors.infos)]
