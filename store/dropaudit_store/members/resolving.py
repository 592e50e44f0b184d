"""From the members of a suite to the subjects of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from dropaudit.plan import Role
from dropaudit.shortening import cut
from dropaudit_store.errors import OnlyForWorkers, RunTooLarge, StoreError, StoreUnavailable
from dropaudit_store.members.outside import Outside, is_uri
from dropaudit_store.members.pairing import paired, wildcard
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.names import ModelNames
from dropaudit_store.naming.records import ModelVersion
from dropaudit_store.naming.titles import title
from dropaudit_store.records import (
    ArtifactRef,
    AuditRequest,
    Glob,
    Member,
    MlflowModel,
    NamedModel,
    Overrides,
    PairPattern,
    PairRef,
    Priority,
    RecordedRef,
    Spec,
    SubjectRef,
    Suite,
    TritonRepository,
    UriGlob,
)
from dropaudit_store.runs.records import ResolvedFile, RunMember
from dropaudit_store.shared.byte_limits import MOST_OF_RUN, NAME_BYTES

_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A subject that a member stands for, the name it has among the run's members, and its files."""

    name: str
    subject: SubjectRef
    files: tuple[ResolvedFile, ...] = ()


@dataclass
class Resolution:
    """The models that a suite stands for, and warnings in sentences."""

    members: list[RunMember] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, position: int, sentence: str) -> None:
        """Note something unusual of a member of the suite."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(cut(f"members[{position}]: {sentence}", NAME_BYTES))
        elif len(self.notes) == _MOST_NOTES:
            self.notes.append("more notes were left out")


class Resolver:
    """Resolves suites.

    Args:
        outside: finds what is not stored; without it members outside the store are noted as not looked for.
    """

    def __init__(self, models: ModelStore, names: ModelNames, outside: Outside | None = None) -> None:
        self._models = models
        self._names = names
        self._outside = outside

    def resolve(self, suite: Suite, run: str = "") -> Resolution:
        """Return what a suite stands for now, each subject with a name of its own.

        Args:
            run: name of the run that its audits are of.

        Raises:
            RunTooLarge: it stands for more subjects than a run may have.
            StoreUnavailable: Redis, or an object store, does not answer.
        """
        resolution, taken = Resolution(), dict[str, int]()
        for position, each in enumerate(suite.members):
            for found in self._found(each, position, resolution):
                request = _request(suite, found, suite.overrides_of(position), run)
                name = _own_name(suite.overrides_of(position).display_name or found.name, taken)
                request = msgspec.structs.replace(request, display_name=name)
                resolution.members.append(
                    RunMember(display_name=name, position=position, files=found.files, request=request)
                )
                if len(resolution.members) > MOST_OF_RUN:
                    raise RunTooLarge(suite.id, MOST_OF_RUN)
        return resolution

    def _found(self, member: Member, position: int, resolution: Resolution) -> list[Found]:
        """Return what a member stands for; why it stands for nothing is noted."""
        try:
            found = list(self._subjects(member, position, resolution))
        except StoreUnavailable:
            raise
        except StoreError as error:
            resolution.note(position, error.message)
            return []
        if not found:
            resolution.note(position, f"{_pattern_of(member)} matches nothing")
        return found

    def _subjects(self, member: Member, position: int, resolution: Resolution) -> Iterator[Found]:
        match member:
            case ArtifactRef() | PairRef() | RecordedRef():
                yield self._fixed(member, position)
            case Glob(pattern=pattern, role=role, alias=alias, all_versions=every):
                for version in self._names.matching(pattern, alias, all_versions=every):
                    yield _stored(version, role, every=every)
            case NamedModel(display_name=name, alias=alias, version=number, role=role):
                yield _stored(self._names.resolve(name, alias, number), role)
            case PairPattern(train=train, inference=inference):
                pairs, alone = paired(train, inference, self._candidates(train), self._candidates(inference))
                for each in alone:
                    resolution.note(position, f"{each} has no counterpart")
                yield from (self._pair(*each) for each in pairs)
            case UriGlob() | TritonRepository() | MlflowModel():
                yield from self._placed(member)

    def _fixed(self, member: ArtifactRef | PairRef | RecordedRef, position: int) -> Found:
        match member:
            case ArtifactRef(model=model, uri=uri):
                files: tuple[ResolvedFile, ...] = (self._file(model, uri),)
            case PairRef():
                train = self._file(member.train, member.train_uri)
                files = (train, self._file(member.inference, member.inference_uri))
            case RecordedRef():
                return Found(f"recorded outputs of members[{position}]", member)
        return Found(title([_called(each) for each in files]), member, files)

    def _file(self, model: str, uri: str) -> ResolvedFile:
        if uri:
            return ResolvedFile(display_name=uri.rpartition("/")[2], uri=uri, sha256=self._digest(uri))
        known = self._models.find([model])
        return ResolvedFile(display_name=known[0].display_name if known else "", sha256=model)

    def _digest(self, uri: str) -> str:
        """Return the SHA-256 of a file; empty where it cannot be read, which its audit will say."""
        try:
            return self._looking().digest(uri)
        except StoreUnavailable:
            raise
        except StoreError:
            return ""

    def _placed(self, member: UriGlob | TritonRepository | MlflowModel) -> Iterator[Found]:
        outside = self._looking()
        match member:
            case UriGlob(pattern=pattern, role=role):
                folder = _literal_folder(pattern)
                for uri in outside.matching(pattern):
                    yield self._at(uri, uri.removeprefix(folder), 0, role)
            case TritonRepository(role=role):
                for placed in outside.repository(member):
                    yield self._at(placed.uri, placed.name, placed.version, role)
            case MlflowModel(uri=uri, role=role):
                found = outside.registered(uri)
                file = ResolvedFile(display_name=found.name, sha256=found.sha256, version=found.version)
                yield Found(found.name, ArtifactRef(model=found.sha256, role=role), (file,))

    def _at(self, uri: str, name: str, version: int, role: Role) -> Found:
        file = ResolvedFile(display_name=cut(name, NAME_BYTES), uri=uri, version=version, sha256=self._digest(uri))
        return Found(file.display_name, ArtifactRef(uri=uri, role=role), (file,))

    def _candidates(self, pattern: str) -> dict[str, ModelVersion | str]:
        """Return the stored models, or the files, that a pattern of pairs may name."""
        if is_uri(pattern):
            return {uri: uri for uri in self._looking().matching(wildcard(pattern))}
        return {each.display_name: each for each in self._names.matching(wildcard(pattern))}

    def _pair(self, train: ModelVersion | str, inference: ModelVersion | str) -> Found:
        files = tuple(self._of(each) for each in (train, inference))
        first, second = files
        subject = PairRef(
            train="" if first.uri else first.sha256,
            train_uri=first.uri,
            inference="" if second.uri else second.sha256,
            inference_uri=second.uri,
        )
        return Found(title([_called(each) for each in files]), subject, files)

    def _of(self, found: ModelVersion | str) -> ResolvedFile:
        if isinstance(found, str):
            return ResolvedFile(display_name=found.rpartition("/")[2], uri=found, sha256=self._digest(found))
        return ResolvedFile(display_name=found.display_name, sha256=found.sha256, version=found.version)

    def _looking(self) -> Outside:
        if self._outside is None:
            raise OnlyForWorkers
        return self._outside


def _stored(version: ModelVersion, role: Role, *, every: bool = False) -> Found:
    name = f"{version.display_name}:{version.version}" if every else version.display_name
    file = ResolvedFile(display_name=version.display_name, sha256=version.sha256, version=version.version)
    return Found(name, ArtifactRef(model=version.sha256, role=role), (file,))


def _called(file: ResolvedFile) -> str:
    return file.display_name or f"models/{file.sha256[:12]}"


def _own_name(name: str, taken: dict[str, int]) -> str:
    """Return a name that no member before has: the second of one name is told apart by a number."""
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else _own_name(f"{name} ({taken[name]})", taken)


def _literal_folder(pattern: str) -> str:
    """Return the part of a URI pattern before the first part that stands for several."""
    special = min((at for at in (pattern.find(sign) for sign in "*?[") if at >= 0), default=len(pattern))
    return pattern[: pattern.rfind("/", 0, special) + 1]


def _pattern_of(member: Member) -> str:
    match member:
        case Glob(pattern=pattern, alias=alias):
            return f"the pattern {pattern!r}" + (f" with the alias {alias!r}" if alias else "")
        case UriGlob(pattern=pattern):
            return f"the pattern {pattern!r}"
        case PairPattern(train=train, inference=inference):
            return f"the pair of patterns {train!r} and {inference!r}"
        case TritonRepository(uri=uri):
            return f"the repository {uri!r}"
    return "the member"


def _request(suite: Suite, found: Found, overrides: Overrides, run: str) -> AuditRequest:
    spec = Spec(subject=_overridden(found.subject, overrides), plan=overrides.plan.of(suite.plan))
    names = tuple(each.display_name for each in found.files)
    return AuditRequest(
        spec=spec,
        priority=Priority.BATCH,
        run=run,
        names=names if any(names) else (),
        model_version=found.files[0].version if len(found.files) == 1 else 0,
    )


def _overridden(subject: SubjectRef, overrides: Overrides) -> SubjectRef:
    fields: Iterable[tuple[str, object]] = (
        ("role", overrides.role),
        ("keep_prob", overrides.keep_prob),
        ("inputs", overrides.inputs),
    )
    changes = {name: value for name, value in fields if value is not None and name in subject.__struct_fields__}
    return msgspec.structs.replace(subject, **changes) if changes else subject
