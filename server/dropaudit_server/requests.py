"""From messages to records, with every violation of a request at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from dropaudit.errors import AuditError, InvalidArgument
from dropaudit.plan import Plan, Provider, Role
from dropaudit.subjects import Array
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_store.records import ArtifactRef, PairRef, Priority, RecordedRef, Spec, SubjectRef, Tensors

DATATYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
NamedArrays = list[tuple[str, Array]]
PutTensors = Callable[[NamedArrays], Tensors]

_MODEL = re.compile(r"models/([0-9a-f]{64})")
_NO_TENSORS = Tensors(sha256="", infos=())
ROLES = {pb.ROLE_UNSPECIFIED: Role.AUTO, pb.AUTO: Role.AUTO, pb.TRAIN: Role.TRAIN, pb.INFERENCE: Role.INFERENCE}
PROVIDERS = {
    pb.PROVIDER_UNSPECIFIED: Provider.AUTO,
    pb.PROVIDER_AUTO: Provider.AUTO,
    pb.PROVIDER_CPU: Provider.CPU,
    pb.PROVIDER_CUDA: Provider.CUDA,
}
PRIORITIES = {
    pb.Audit.PRIORITY_UNSPECIFIED: Priority.INTERACTIVE,
    pb.Audit.INTERACTIVE: Priority.INTERACTIVE,
    pb.Audit.BATCH: Priority.BATCH,
}


class InvalidRequest(AuditError):
    """A request breaks the contract; `violations` are pairs of a field's path and what is wrong with it."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {wrong}" for path, wrong in violations))
        self.violations = tuple(violations)


@dataclass
class Violations:
    """Collects what is wrong with a request."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, wrong: str) -> None:
        """Note a violation."""
        self.found.append((path, wrong))

    def check(self) -> None:
        """Raise InvalidRequest when there is any."""
        if self.found:
            raise InvalidRequest(self.found)


@dataclass(frozen=True, slots=True)
class Asked:
    """A subject whose tensors are not stored yet."""

    subject: SubjectRef
    tensors: NamedArrays | None

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each model the subject names."""
        match self.subject:
            case ArtifactRef(model=model):
                return (model,)
            case PairRef(train=train, inference=inference):
                return (train, inference)
        return ()

    def stored(self, put: PutTensors) -> SubjectRef:
        """Store the tensors and return the subject that refers to them."""
        if self.tensors is None:
            return self.subject
        tensors = put(self.tensors)
        if isinstance(self.subject, RecordedRef):
            return msgspec.structs.replace(self.subject, tensors=tensors)
        return msgspec.structs.replace(self.subject, inputs=tensors)


@dataclass(frozen=True, slots=True)
class AskedAudit:
    """A checked CreateAudit."""

    asked: Asked
    plan: Plan
    labels: dict[str, str]
    priority: Priority
    request_id: str
    validate_only: bool

    def spec(self, put: PutTensors) -> Spec:
        """Store the tensors and return the spec."""
        return Spec(subject=self.asked.stored(put), plan=self.plan)


def create_audit(request: pb.CreateAuditRequest) -> AskedAudit:
    """Read a CreateAudit. Raises InvalidRequest."""
    violations = Violations()
    asked = _spec_subject(request.audit.spec, "audit.spec", violations)
    plan = options(request.audit.spec.options, "audit.spec.options", violations)
    if len(request.request_id) > 128:
        violations.add("request_id", "at most 128 characters")
    violations.check()
    return AskedAudit(
        asked=asked,
        plan=plan,
        labels=dict(request.audit.labels),
        priority=PRIORITIES[request.audit.priority],
        request_id=request.request_id,
        validate_only=request.validate_only,
    )


def _spec_subject(spec: pb.AuditSpec, path: str, violations: Violations) -> Asked:
    match spec.WhichOneof("subject"):
        case "artifact":
            return artifact(spec.artifact, f"{path}.artifact", violations)
        case "pair":
            return pair(spec.pair, f"{path}.pair", violations)
        case "recorded":
            return _recorded(spec.recorded, f"{path}.recorded", violations)
    violations.add(path, "set one of artifact, pair and recorded")
    return Asked(RecordedRef(tensors=_NO_TENSORS), None)


def artifact(message: pb.ArtifactSubject, path: str, violations: Violations) -> Asked:
    """Read an artifact subject."""
    subject = ArtifactRef(
        model=model_digest(message.model, f"{path}.model", violations),
        role=ROLES[message.role],
        keep_prob=_keep_prob(message, path, violations),
    )
    return Asked(subject, _inputs(message, path, violations))


def pair(message: pb.PairSubject, path: str, violations: Violations) -> Asked:
    """Read a pair subject."""
    subject = PairRef(
        train=model_digest(message.train_model, f"{path}.train_model", violations),
        inference=model_digest(message.inference_model, f"{path}.inference_model", violations),
        keep_prob=_keep_prob(message, path, violations),
    )
    return Asked(subject, _inputs(message, path, violations))


def _recorded(message: pb.RecordedSubject, path: str, violations: Violations) -> Asked:
    if not message.train:
        violations.add(f"{path}.train", "give at least one train-mode output")
    named = [("inference", message.inference, f"{path}.inference")]
    named += [(f"train{i}", tensor, f"{path}.train[{i}]") for i, tensor in enumerate(message.train)]
    tensors = [(name, _array(tensor, where, violations)) for name, tensor, where in named]
    if len({array.shape for _, array in tensors}) > 1 and not violations.found:
        violations.add(f"{path}.train", "every train-mode output must have the shape of the inference output")
    return Asked(RecordedRef(tensors=_NO_TENSORS, keep_prob=_keep_prob(message, path, violations)), tensors)


def model_digest(name: str, path: str, violations: Violations) -> str:
    """Return the SHA-256 in `models/{sha256}`."""
    found = _MODEL.fullmatch(name)
    if found is None:
        violations.add(path, "must be models/ and 64 lower-case hexadecimal digits, as UploadModel returns")
        return ""
    return found[1]


def _keep_prob(
    message: pb.ArtifactSubject | pb.PairSubject | pb.RecordedSubject, path: str, violations: Violations
) -> float | None:
    if not message.HasField("keep_prob"):
        return None
    if not 0 < message.keep_prob <= 1:
        violations.add(f"{path}.keep_prob", "must lie in (0, 1]")
    return message.keep_prob


def _inputs(message: pb.ArtifactSubject | pb.PairSubject, path: str, violations: Violations) -> NamedArrays | None:
    if not message.HasField("inputs"):
        return None
    if message.inputs.npz:
        return _npz(message.inputs.npz, f"{path}.inputs.npz", violations)
    where = f"{path}.inputs.tensors"
    if not message.inputs.tensors:
        violations.add(where, "give tensors or npz, or leave inputs out")
    return [
        (tensor.name, _array(tensor, f"{where}[{position}]", violations))
        for position, tensor in enumerate(message.inputs.tensors)
    ]


def _npz(content: bytes, path: str, violations: Violations) -> NamedArrays:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return [(name, archive[name]) for name in archive.files]
    except Exception:  # numpy and zipfile raise a dozen kinds of errors for damaged content
        violations.add(path, "is no .npz archive of plain arrays; write it with numpy.savez")
        return []


def _array(tensor: pb.Tensor, path: str, violations: Violations) -> Array:
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        violations.add(f"{path}.datatype", f"must be one of {', '.join(DATATYPES)}")
        return np.zeros(0)
    if any(extent < 0 for extent in tensor.shape):
        violations.add(f"{path}.shape", "extents must not be negative")
        return np.zeros(0)
    little_endian = np.dtype(dtype).newbyteorder("<")
    expected = little_endian.itemsize * int(np.prod(tensor.shape, dtype=object))
    if len(tensor.raw_contents) != expected:
        violations.add(f"{path}.raw_contents", f"{expected} bytes were expected, {len(tensor.raw_contents)} came")
        return np.zeros(0)
    array = np.frombuffer(tensor.raw_contents, dtype=little_endian)
    return array.reshape(tuple(tensor.shape)).astype(dtype)


def options(message: pb.AuditOptions, path: str, violations: Violations) -> Plan:
    """Read options; zero is the default."""
    given = {
        name: getattr(message, name)
        for name in ("alpha", "tolerance", "max_replicates", "seed")
        if getattr(message, name)
    }
    try:
        compared = PROVIDERS[message.compare_provider] if message.compare_provider else None
        return Plan(provider=PROVIDERS[message.provider], compare_provider=compared, **given)
    except InvalidArgument as error:
        violations.add(f"{path}.{error.facts['field']}", error.message)
        return Plan()


def resource_id(name: str, collection: str) -> str:
    """Return the last part of `collection/id`. Raises InvalidRequest."""
    found = re.fullmatch(rf"{collection}/([a-zA-Z0-9_-]{{1,128}})", name)
    if found is None:
        raise InvalidRequest([("name", f"must be {collection}/ and an id, not {name!r}")])
    return found[1]


def run_ids(name: str) -> tuple[str, str]:
    """Return suite and run of `suites/{suite}/runs/{run}`. Raises InvalidRequest."""
    found = re.fullmatch(r"suites/([a-z0-9-]{1,63})/runs/([a-zA-Z0-9_-]{1,128})", name)
    if found is None:
        raise InvalidRequest([("name", f"must be suites/…/runs/…, not {name!r}")])
    return found[1], found[2]


def stored_model(request: pb.GetModelRequest) -> str:
    """Return the SHA-256 that a request names. Raises InvalidRequest."""
    violations = Violations()
    digest = model_digest(request.name, "name", violations)
    violations.check()
    return digest
