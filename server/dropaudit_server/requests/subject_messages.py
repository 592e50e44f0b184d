"""From subject messages to records whose tensors are not stored yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from dropaudit.plan import Role
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests import tensors
from dropaudit_server.requests.names import allowed_uri, model_digest
from dropaudit_server.requests.tensors import NamedArrays, PutTensors, SentTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_store.audits.terms import models_of
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Tensors

ROLES = {pb.ROLE_UNSPECIFIED: Role.AUTO, pb.AUTO: Role.AUTO, pb.TRAIN: Role.TRAIN, pb.INFERENCE: Role.INFERENCE}
_NO_TENSORS = Tensors(sha256="", infos=())


@dataclass(frozen=True, slots=True)
class RequestedSubject:
    """A subject whose tensors are not stored yet."""

    subject: SubjectRef
    tensors: SentTensors | None

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each stored model the subject names."""
        return models_of(self.subject)

    def stored(self, put: PutTensors) -> SubjectRef:
        """Store the tensors and return the subject that refers to them."""
        if self.tensors is None:
            return self.subject
        stored = put(self.tensors)
        if isinstance(self.subject, RecordedRef):
            return msgspec.structs.replace(self.subject, tensors=stored)
        return msgspec.structs.replace(self.subject, inputs=stored)


def of_spec(spec: pb.AuditSpec, path: str, violations: Violations) -> RequestedSubject:
    """Read the subject of a spec."""
    match spec.WhichOneof("subject"):
        case "artifact":
            return artifact(spec.artifact, f"{path}.artifact", violations)
        case "pair":
            return pair(spec.pair, f"{path}.pair", violations)
        case "recorded":
            return recorded(spec.recorded, f"{path}.recorded", violations)
    violations.add(path, "set one of artifact, pair and recorded")
    return RequestedSubject(RecordedRef(tensors=_NO_TENSORS), None)


def artifact(message: pb.ArtifactSubject, path: str, violations: Violations) -> RequestedSubject:
    """Read an artifact subject."""
    model, uri = _source(message, "source", ("model", "uri"), path, violations)
    subject = ArtifactRef(
        model=model,
        uri=uri,
        role=violations.meaning(ROLES, message.role, f"{path}.role"),
        keep_prob=keep_prob(message, path, violations),
    )
    return RequestedSubject(subject, inputs(message, path, violations))


def pair(message: pb.PairSubject, path: str, violations: Violations) -> RequestedSubject:
    """Read a pair subject."""
    train, train_uri = _source(message, "train", ("train_model", "train_uri"), path, violations)
    inference, inference_uri = _source(message, "inference", ("inference_model", "inference_uri"), path, violations)
    subject = PairRef(
        train=train,
        train_uri=train_uri,
        inference=inference,
        inference_uri=inference_uri,
        keep_prob=keep_prob(message, path, violations),
    )
    return RequestedSubject(subject, inputs(message, path, violations))


def recorded(message: pb.RecordedSubject, path: str, violations: Violations) -> RequestedSubject:
    """Read recorded outputs."""
    if not message.train:
        violations.add(f"{path}.train", "give at least one train-mode output")
    tensors.require_few(1 + len(message.train), f"{path}.train", violations)
    named = [("inference", message.inference, f"{path}.inference")]
    for position, tensor in enumerate(message.train):
        where = f"{path}.train[{position}]"
        named.append((f"train{position}", tensor, where))
        if tensor.shape != message.inference.shape:
            violations.add(f"{where}.shape", f"must be {list(message.inference.shape)}, that of the inference output")
    arrays: NamedArrays = [(name, tensors.array(tensor, where, violations)) for name, tensor, where in named]
    return RequestedSubject(RecordedRef(tensors=_NO_TENSORS, keep_prob=keep_prob(message, path, violations)), arrays)


def _source(
    message: pb.ArtifactSubject | pb.PairSubject,
    oneof: Literal["source", "train", "inference"],
    fields: tuple[str, str],
    path: str,
    violations: Violations,
) -> tuple[str, str]:
    """Return the SHA-256 of a stored model, or a URI; the other one is empty."""
    model, uri = fields
    chosen: Any = message
    if chosen.WhichOneof(oneof) == uri:
        return "", allowed_uri(getattr(message, uri), f"{path}.{uri}", violations)
    return model_digest(getattr(message, model), f"{path}.{model}", violations), ""


def keep_prob(
    message: pb.ArtifactSubject | pb.PairSubject | pb.RecordedSubject | pb.Overrides, path: str, violations: Violations
) -> float | None:
    """Read the keep probability that the training code declares; None without one."""
    if not message.HasField("keep_prob"):
        return None
    if not 0 < message.keep_prob <= 1:
        violations.add(f"{path}.keep_prob", "must lie in (0, 1]")
    return message.keep_prob


def inputs(
    message: pb.ArtifactSubject | pb.PairSubject | pb.Overrides, path: str, violations: Violations
) -> SentTensors | None:
    """Read what a model is run on; None where it is synthesized."""
    if not message.HasField("inputs"):
        return None
    if bool(message.inputs.npz) == bool(message.inputs.tensors):
        violations.add(f"{path}.inputs", "give either tensors or npz, or leave inputs out")
        return None
    if message.inputs.npz:
        return tensors.archive(message.inputs.npz, f"{path}.inputs.npz", violations)
    return tensors.named_arrays(message.inputs.tensors, f"{path}.inputs.tensors", violations)
