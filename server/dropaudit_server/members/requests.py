"""From the members of a suite's message to records whose tensors are not stored yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.naming.requests import alias, display_name, require_name
from dropaudit_server.requests.audit_requests import PROVIDERS, options
from dropaudit_server.requests.subject_messages import (
    ROLES,
    RequestedSubject,
    artifact,
    inputs,
    keep_prob,
    pair,
    recorded,
)
from dropaudit_server.requests.tensors import PutTensors, SentTensors
from dropaudit_server.requests.violations import Violations
from dropaudit_store.errors import UriRefused
from dropaudit_store.members.outside import is_uri
from dropaudit_store.members.pairing import PLACE
from dropaudit_store.records import (
    Glob,
    Member,
    MlflowModel,
    NamedModel,
    Overrides,
    PairPattern,
    PlanChanges,
    TritonRepository,
    UriGlob,
)

_MLFLOW = re.compile(r"models:/[^/@\s]+(?:/[0-9]{1,9}|@[a-zA-Z0-9_.-]{1,255})?")
_LONGEST_URI = 2048
_SPECIAL = re.compile(r"[*?\[]")
_PLAN_FIELDS = ("alpha", "tolerance", "max_replicates", "seed")


@dataclass(frozen=True, slots=True)
class AskedMember:
    """A checked member; `tensors` are those of its overrides."""

    what: RequestedSubject | Member
    overrides: Overrides
    tensors: SentTensors | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """SHA-256 of each stored model that the member names."""
        return self.what.models if isinstance(self.what, RequestedSubject) else ()

    def stored(self, put: PutTensors) -> tuple[Member, Overrides]:
        """Store the tensors and return the records that refer to them."""
        member = self.what.stored(put) if isinstance(self.what, RequestedSubject) else self.what
        if self.tensors is None:
            return member, self.overrides
        return member, msgspec.structs.replace(self.overrides, inputs=put(self.tensors))


def stored_members(asked: Sequence[AskedMember], put: PutTensors) -> dict[str, Any]:
    """Store the tensors of members; return `members` and `overrides` of a suite's record."""
    found = [each.stored(put) for each in asked]
    overrides = tuple(each for _, each in found)
    has_any = any(each != Overrides() for each in overrides)
    return {"members": tuple(each for each, _ in found), "overrides": overrides if has_any else ()}


def read_members(suite: pb.Suite, violations: Violations) -> tuple[AskedMember, ...]:
    """Read the members of a suite."""
    if not 1 <= len(suite.members) <= violations.rules.batch:
        violations.add("suite.members", f"give 1 to {violations.rules.batch} members")
    return tuple(
        _member(member, f"suite.members[{position}]", violations) for position, member in enumerate(suite.members)
    )


def _member(message: pb.SuiteMember, path: str, violations: Violations) -> AskedMember:
    kind = message.WhichOneof("member")
    if kind is None:
        violations.add(path, f"set one of {', '.join(_KINDS)}")
        return AskedMember(Glob(pattern=""), Overrides())
    what = _KINDS[kind](getattr(message, kind), f"{path}.{kind}", violations)
    overrides, tensors = _overrides(message, path, violations)
    return AskedMember(what, overrides, tensors)


def _glob(message: pb.Glob, path: str, violations: Violations) -> Glob:
    if not message.pattern:
        violations.add(f"{path}.pattern", "give a pattern, such as lstm-*.onnx")
    if message.alias:
        alias(message.alias, f"{path}.alias", violations)
    if message.alias and message.all_versions:
        violations.add(f"{path}.all_versions", "an alias stands for one version; leave one of them out")
    return Glob(
        pattern=violations.short(message.pattern, f"{path}.pattern"),
        role=violations.meaning(ROLES, message.role, f"{path}.role"),
        alias=message.alias,
        all_versions=message.all_versions,
    )


def _named(message: pb.NamedModel, path: str, violations: Violations) -> NamedModel:
    if message.alias:
        alias(message.alias, f"{path}.alias", violations)
    return NamedModel(
        display_name=require_name(message.display_name, violations, f"{path}.display_name"),
        alias=message.alias,
        version=message.version,
        role=violations.meaning(ROLES, message.role, f"{path}.role"),
    )


def _uri_glob(message: pb.UriGlob, path: str, violations: Violations) -> UriGlob:
    _allow_pattern(message.pattern, f"{path}.pattern", violations)
    return UriGlob(pattern=message.pattern, role=violations.meaning(ROLES, message.role, f"{path}.role"))


def _pair_pattern(message: pb.PairPattern, path: str, violations: Violations) -> PairPattern:
    for field in ("train", "inference"):
        text = getattr(message, field)
        if text.count(PLACE) != 1:
            violations.add(f"{path}.{field}", f"must hold {PLACE} once, such as {PLACE}-{field}.onnx")
        elif is_uri(text):
            _allow_pattern(text.replace(PLACE, "*"), f"{path}.{field}", violations)
        else:
            display_name(text, f"{path}.{field}", violations)
    return PairPattern(train=message.train, inference=message.inference)


def _triton(message: pb.TritonRepository, path: str, violations: Violations) -> TritonRepository:
    _allow_folder(message.uri, f"{path}.uri", violations)
    violations.short(message.pattern, f"{path}.pattern")
    if "/" in message.file:
        violations.add(f"{path}.file", "is the name of a file, without a folder")
    return TritonRepository(
        uri=message.uri,
        pattern=message.pattern,
        file=violations.short(message.file, f"{path}.file"),
        role=violations.meaning(ROLES, message.role, f"{path}.role"),
    )


def _mlflow(message: pb.MlflowModel, path: str, violations: Violations) -> MlflowModel:
    if _MLFLOW.fullmatch(message.uri) is None or len(message.uri) > _LONGEST_URI:
        violations.add(f"{path}.uri", "must be models:/NAME/VERSION, models:/NAME@ALIAS or models:/NAME")
    return MlflowModel(uri=message.uri, role=violations.meaning(ROLES, message.role, f"{path}.role"))


def _allow_pattern(pattern: str, path: str, violations: Violations) -> None:
    """Note a pattern of URIs that begins, or could lead, outside what an operator allows."""
    found = _SPECIAL.search(pattern)
    if found is None:
        violations.add(path, "must hold *, ? or […]; a member of the kind artifact names a file by its URI")
        return
    folder, _, _ = pattern[: found.start()].rpartition("/")
    parts = pattern[len(folder) :].split("/")[1:]
    if len(pattern) > _LONGEST_URI or any(part in ("", ".", "..") for part in parts):
        violations.add(path, f"no part may be empty, '.' or '..', and at most {_LONGEST_URI} characters")
    _allow_folder(folder, path, violations)


def _allow_folder(uri: str, path: str, violations: Violations) -> None:
    try:
        violations.rules.uris.require_folder(uri)
    except UriRefused as error:
        violations.add(path, error.message, error.reason)


_Reader = Callable[[Any, str, Violations], RequestedSubject | Member]
_KINDS: Mapping[str, _Reader] = {
    "artifact": artifact,
    "pair": pair,
    "glob": _glob,
    "named": _named,
    "uri_glob": _uri_glob,
    "pair_pattern": _pair_pattern,
    "triton": _triton,
    "mlflow": _mlflow,
    "recorded": recorded,
}


def _overrides(message: pb.SuiteMember, path: str, violations: Violations) -> tuple[Overrides, SentTensors | None]:
    found, where = message.overrides, f"{path}.overrides"
    overrides = Overrides(
        role=violations.meaning(ROLES, found.role, f"{where}.role") if found.role else None,
        keep_prob=keep_prob(found, where, violations),
        plan=_plan_changes(found.options, f"{where}.options", violations),
        display_name=display_name(message.display_name, f"{path}.display_name", violations),
    )
    return overrides, inputs(found, where, violations)


def _plan_changes(message: pb.AuditOptions, path: str, violations: Violations) -> PlanChanges:
    plan = options(message, path, violations)
    changes = {name: getattr(plan, name) for name in _PLAN_FIELDS if getattr(message, name)}
    for name in ("provider", "compare_provider"):
        if getattr(message, name):
            changes[name] = violations.meaning(PROVIDERS, getattr(message, name), f"{path}.{name}")
    return PlanChanges(**changes)
