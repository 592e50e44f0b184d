"""From the members of a suite's record to messages."""

from __future__ import annotations

from collections.abc import Iterator

from dropaudit.shortening import cut
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.responses import PROVIDER, ROLE, artifact, pair, recorded, tensor
from dropaudit_store.records import (
    ArtifactRef,
    Glob,
    Member,
    MlflowModel,
    NamedModel,
    Overrides,
    PairPattern,
    PairRef,
    PlanChanges,
    RecordedRef,
    Suite,
    TritonRepository,
    UriGlob,
)
from dropaudit_store.shared.byte_limits import NAME_BYTES


def members(record: Suite) -> Iterator[pb.SuiteMember]:
    """Yield the messages of a suite's members."""
    for position, each in enumerate(record.members):
        message = _member(each)
        _set_overrides(message, record.overrides_of(position))
        yield message


def _member(found: Member) -> pb.SuiteMember:
    match found:
        case ArtifactRef():
            return pb.SuiteMember(artifact=artifact(found))
        case PairRef():
            return pb.SuiteMember(pair=pair(found))
        case RecordedRef():
            return pb.SuiteMember(recorded=recorded(found))
        case Glob():
            # A record that an earlier version stored may be of any size.
            pattern, role = cut(found.pattern, NAME_BYTES), ROLE[found.role]
            glob = pb.Glob(pattern=pattern, role=role, alias=found.alias, all_versions=found.all_versions)
            return pb.SuiteMember(glob=glob)
        case NamedModel():
            return pb.SuiteMember(named=_named(found))
        case PairPattern(train=train, inference=inference):
            return pb.SuiteMember(pair_pattern=pb.PairPattern(train=train, inference=inference))
    return _outside(found)


def _outside(found: UriGlob | TritonRepository | MlflowModel) -> pb.SuiteMember:
    match found:
        case UriGlob(pattern=pattern, role=role):
            return pb.SuiteMember(uri_glob=pb.UriGlob(pattern=pattern, role=ROLE[role]))
        case TritonRepository(uri=uri, pattern=pattern, file=file, role=role):
            triton = pb.TritonRepository(uri=uri, pattern=pattern, file=file, role=ROLE[role])
            return pb.SuiteMember(triton=triton)
        case MlflowModel(uri=uri, role=role):
            return pb.SuiteMember(mlflow=pb.MlflowModel(uri=uri, role=ROLE[role]))


def _named(found: NamedModel) -> pb.NamedModel:
    return pb.NamedModel(
        display_name=found.display_name,
        alias=found.alias or None,
        version=found.version or None,
        role=ROLE[found.role],
    )


def _set_overrides(message: pb.SuiteMember, overrides: Overrides) -> None:
    message.display_name = overrides.display_name
    if overrides == Overrides(display_name=overrides.display_name):
        return
    message.overrides.SetInParent()
    if overrides.role is not None:
        message.overrides.role = ROLE[overrides.role]
    if overrides.keep_prob is not None:
        message.overrides.keep_prob = overrides.keep_prob
    if overrides.inputs is not None:
        message.overrides.inputs.CopyFrom(pb.TensorSet(tensors=map(tensor, overrides.inputs.infos)))
    if overrides.plan != PlanChanges():
        message.overrides.options.CopyFrom(_options(overrides.plan))


def _options(changes: PlanChanges) -> pb.AuditOptions:
    return pb.AuditOptions(
        alpha=changes.alpha or 0.0,
        tolerance=changes.tolerance or 0.0,
        max_replicates=changes.max_replicates or 0,
        seed=changes.seed or 0,
        provider=PROVIDER[changes.provider] if changes.provider else None,
        compare_provider=PROVIDER[changes.compare_provider] if changes.compare_provider else None,
    )
