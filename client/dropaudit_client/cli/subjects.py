"""From paths on the command line to subjects."""

from __future__ import annotations

from pathlib import Path

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject


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
        InvalidModel: a file is no ONNX model.
        InvalidTensor: the inputs are no arrays.
        InvalidArgument: a role and an inference artifact are both given.
    """
    from dropaudit.graph.load import read_artifact
    from dropaudit.inputs import read_npz

    if inference is not None and role is not Role.AUTO:
        raise InvalidArgument("--role is for one artifact; with --inference the roles are train and inference")
    arrays = read_npz(inputs) if inputs is not None else None
    model = read_artifact(artifact)
    if inference is None:
        return ArtifactSubject(model=model, role=role, inputs=arrays, keep_prob=keep_prob)
    return PairSubject(train=model, inference=read_artifact(inference), inputs=arrays, keep_prob=keep_prob)
