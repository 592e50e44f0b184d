"""Models on their way to the service: from a path or bytes to content and name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from dropaudit.files.model_files import ModelContent, ModelFiles, size_of
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_client import requests
from dropaudit_client.resources import ArtifactRef, PairRef, SubjectRef, is_uri
from dropaudit_proto.v1 import audit_pb2 as pb

ModelSource = str | Path | ModelContent
# Called with bytes sent and bytes in all.
OnUpload = Callable[[int, int], None]


def ignore_upload(_sent: int, _total: int) -> None:
    """Take no notice of an upload."""


def read_source(source: ModelSource, display_name: str) -> tuple[ModelContent, str]:
    """Return a model's content, its external data included or beside it, and the name to show.

    Raises:
        UnreadableFile: the path cannot be read.
        InvalidModel: the file at the path is not an ONNX model.
    """
    if isinstance(source, bytes | ModelFiles):
        return source, display_name
    # Imported here: onnx is heavy, and recorded subjects and bytes do without.
    from dropaudit.graph.reading.load import read_artifact

    path = Path(source)
    return read_artifact(path), display_name or path.name


def upload_messages(content: ModelContent, display_name: str, progress: OnUpload) -> Iterator[pb.UploadModelRequest]:
    """Yield the messages of an upload, telling `progress` after each that the transport took."""
    sent, total = 0, size_of(content)
    for message in requests.upload(content, display_name):
        yield message
        sent += len(message.chunk)
        progress(sent, total)


def names_of(what: ModelSource | Subject | SubjectRef) -> tuple[str, ...]:
    """Return what the model of an audit is called: as its file, where it is one."""
    is_path = isinstance(what, Path) or (isinstance(what, str) and not is_uri(what))
    return (Path(str(what)).name,) if is_path else ()


def as_subject(what: ModelSource | Subject | SubjectRef) -> Subject | SubjectRef:
    """Return a subject: a path, bytes or a URI is an artifact whose role is left open."""
    if isinstance(what, ArtifactSubject | PairSubject | RecordedSubject | ArtifactRef | PairRef):
        return what
    if isinstance(what, str) and is_uri(what):
        return ArtifactRef(what)
    return ArtifactSubject(model=read_source(what, "")[0])
