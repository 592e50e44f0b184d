"""Members of suites that are patterns, resolved when a run begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dropaudit.plan import Role
from dropaudit_proto.v1 import audit_pb2 as pb


@dataclass(frozen=True, slots=True)
class NamedModel:
    """One stored model by its name: the version that an alias stands for, or that has a number, or the newest."""

    display_name: str
    alias: str = ""
    version: int = 0
    role: Role = Role.AUTO


@dataclass(frozen=True, slots=True)
class UriGlob:
    """Files whose URI matches, such as `s3://bucket/models/**/*.onnx`, below a prefix that the service allows."""

    pattern: str
    role: Role = Role.AUTO


@dataclass(frozen=True, slots=True)
class PairPattern:
    """Pairs by name or URI: `{name}` stands for the same in both."""

    train: str
    inference: str


@dataclass(frozen=True, slots=True)
class TritonRepository:
    """A folder in the layout of Triton's model repositories; of each model the highest number is audited."""

    uri: str
    pattern: str = ""
    file: str = ""
    role: Role = Role.AUTO


@dataclass(frozen=True, slots=True)
class MlflowModel:
    """A model of the service's MLflow registry, such as `models:/lstm@champion`."""

    uri: str
    role: Role = Role.AUTO


@dataclass(frozen=True, slots=True)
class RecordedOutputs:
    """Recorded outputs that a suite holds; their content stays with the service."""

    outputs: int


Pattern = NamedModel | UriGlob | PairPattern | TritonRepository | MlflowModel


def message_of(member: Pattern) -> pb.SuiteMember:
    """Return a member's wire form."""
    match member:
        case NamedModel(display_name=name, alias=alias, version=version, role=role):
            chosen: dict[str, Any] = {"alias": alias} if alias else {"version": version} if version else {}
            return pb.SuiteMember(named=pb.NamedModel(display_name=name, role=role.name, **chosen))
        case UriGlob(pattern=pattern, role=role):
            return pb.SuiteMember(uri_glob=pb.UriGlob(pattern=pattern, role=role.name))
        case PairPattern(train=train, inference=inference):
            return pb.SuiteMember(pair_pattern=pb.PairPattern(train=train, inference=inference))
        case TritonRepository(uri=uri, pattern=pattern, file=file, role=role):
            triton = pb.TritonRepository(uri=uri, pattern=pattern, file=file, role=role.name)
            return pb.SuiteMember(triton=triton)
        case MlflowModel(uri=uri, role=role):
            return pb.SuiteMember(mlflow=pb.MlflowModel(uri=uri, role=role.name))


def pattern_of(message: pb.SuiteMember) -> Pattern | RecordedOutputs:
    """Read a member that is neither an artifact, nor a pair, nor a glob."""
    match message.WhichOneof("member"):
        case "named":
            found = message.named
            return NamedModel(found.display_name, found.alias, found.version, _role(found.role))
        case "uri_glob":
            return UriGlob(message.uri_glob.pattern, _role(message.uri_glob.role))
        case "pair_pattern":
            return PairPattern(message.pair_pattern.train, message.pair_pattern.inference)
        case "triton":
            triton = message.triton
            return TritonRepository(triton.uri, triton.pattern, triton.file, _role(triton.role))
        case "mlflow":
            return MlflowModel(message.mlflow.uri, _role(message.mlflow.role))
    return RecordedOutputs(1 + len(message.recorded.train))


def _role(value: pb.Role) -> Role:
    return Role[pb.Role.Name(value)] if value else Role.AUTO
