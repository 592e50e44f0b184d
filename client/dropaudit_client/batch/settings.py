"""How each file is audited: what the command line says, else the document's overrides, else the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from dropaudit.acceptance import AcceptedFinding
from dropaudit.errors import InvalidArgument
from dropaudit.plan import Plan, Provider, Role

if TYPE_CHECKING:
    from dropaudit_client.documents.local import LocalDocument, Setting


class Given(msgspec.Struct, frozen=True):
    """The settings of the command line; of `plan` only the fields that were given.

    Attributes:
        role: None where nothing was said, like all others.
        plan: fields of a Plan.
        accepted: accepted findings.
    """

    role: Role | None = None
    keep_prob: float | None = None
    inputs: Path | None = None
    plan: Mapping[str, Any] = msgspec.field(default_factory=dict)
    accepted: tuple[AcceptedFinding, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """How one file is audited."""

    role: Role = Role.AUTO
    keep_prob: float | None = None
    inputs: Path | None = None
    plan: Plan = msgspec.field(default_factory=Plan)
    accepted: tuple[AcceptedFinding, ...] = ()


def settings_for(name: str, given: Given, document: LocalDocument | None, folder: Path) -> Settings:
    """Return how a file is audited.

    Args:
        name: of the file, as it is shown; patterns match it, or its last part.
        document: None where there is none.
        folder: of the document; its paths are relative to it.
    """
    layers = [given]
    accepted = list(given.accepted)
    if document is not None:
        matching = [each for each in document.overrides if matches(name, each.member)]
        layers = [given, *(_layer(each, folder) for each in reversed(matching)), _layer(document, folder)]
        accepted += [each.plain() for each in document.accepted_findings]
    return Settings(
        role=_first(layer.role for layer in layers) or Role.AUTO,
        keep_prob=_first(layer.keep_prob for layer in layers),
        inputs=_first(layer.inputs for layer in layers),
        plan=Plan(**{key: value for layer in reversed(layers) for key, value in layer.plan.items()}),
        accepted=tuple(msgspec.structs.replace(each, member="*") for each in accepted if matches(name, each.member)),
    )


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _layer(setting: Setting, folder: Path) -> Given:
    options = setting.options.model_dump(exclude_none=True)
    plan = {key: Provider(value) if key.endswith("provider") else value for key, value in options.items()}
    return Given(
        role=None if setting.role is None else Role(setting.role),
        keep_prob=setting.keep_prob,
        inputs=None if setting.inputs is None else folder / setting.inputs,
        plan=plan,
    )


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern fits a file's name, or the last part of it."""
    return pattern == "" or any(
        each == pattern or fnmatchcase(each, pattern) for each in (name, PurePosixPath(name).name)
    )


def read_accepted(texts: Sequence[str]) -> tuple[AcceptedFinding, ...]:
    """Read CODE[@SUBJECT]=REASON.

    Raises:
        InvalidArgument: one is not that, or has no reason.
        UnknownCode: there is no such finding.
    """
    return tuple(map(_accepted, texts))


def _accepted(text: str) -> AcceptedFinding:
    # A subject may hold an equals sign only where the reason has none; names of nodes seldom do.
    what, equals, reason = text.partition("=")
    code, _, subject = what.partition("@")
    if not (equals and reason.strip()):
        raise InvalidArgument(f"what is accepted is CODE[@SUBJECT]=REASON, not {text!r}", field="accept")
    return AcceptedFinding(code=code.strip(), reason=reason.strip(), subject=subject.strip() or "*")
