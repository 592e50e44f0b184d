"""From paths on the command line to subjects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject

if TYPE_CHECKING:
    from dropaudit_client.resources import ArtifactRef, PairRef


def recorded(paths: list[Path], keep_prob: float | None) -> RecordedSubject:
    """Read the inference output, then the train outputs.

    Raises:
        UnreadableFile: a path cannot be read.
        InvalidTensor: a file holds no array.
        InvalidArgument: there is no train output.
    """
    from dropaudit.inputs import read_npy

    if len(paths) < 2:
        raise InvalidArgument("recorded outputs are INFERENCE.npy and at least one TRAIN.npy")
    inference, *train = (read_npy(path) for path in paths)
    return RecordedSubject(inference=inference, train=tuple(train), keep_prob=keep_prob)


def artifact_or_pair(
    artifact: Path, role: Role, inference: Path | None, inputs: Path | None, keep_prob: float | None
) -> ArtifactSubject | PairSubject:
    """Read one artifact, or two when `inference` names the other.

    Raises:
        UnreadableFile: a path cannot be read.
        InvalidModel: a file is not an ONNX model.
        InvalidTensor: the inputs are not arrays.
        InvalidArgument: a role and an inference artifact are both given.
    """
    from dropaudit.graph.reading.load import read_artifact
    from dropaudit.inputs import read_npz

    _require_one_role(role, inference)
    arrays = read_npz(inputs) if inputs is not None else None
    model = read_artifact(artifact)
    if inference is None:
        return ArtifactSubject(model=model, role=role, inputs=arrays, keep_prob=keep_prob)
    return PairSubject(train=model, inference=read_artifact(inference), inputs=arrays, keep_prob=keep_prob)


def by_reference(
    artifact: str, role: Role, inference: str | None, inputs: Path | None, keep_prob: float | None
) -> ArtifactRef | PairRef:
    """Name one artifact, or two, by URI.

    Raises:
        UnreadableFile: the inputs cannot be read.
        InvalidTensor: the inputs are not arrays.
        InvalidArgument: one is a URI and the other is not, or a role and an inference artifact are both given.
    """
    from dropaudit.inputs import read_npz
    from dropaudit_client.resources import ArtifactRef, PairRef, is_uri

    _require_one_role(role, inference)
    if inference is not None and not (is_uri(artifact) and is_uri(inference)):
        raise InvalidArgument("of a pair, give both as files or both as URIs")
    arrays = read_npz(inputs) if inputs is not None else None
    if inference is None:
        return ArtifactRef(artifact, role, arrays, keep_prob)
    return PairRef(artifact, inference, arrays, keep_prob)


def _require_one_role(role: Role, inference: object) -> None:
    if inference is not None and role is not Role.AUTO:
        raise InvalidArgument("--role is for one artifact; with --inference the roles are train and inference")
