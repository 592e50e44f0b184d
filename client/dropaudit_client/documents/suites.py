"""`suites.yaml`: the suites that a service is to have, in the words of its contract."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dropaudit.schedules import cron, zones
from dropaudit_client.documents.fields import (
    ANY_CASE,
    Accepted,
    Duration,
    Name,
    NamePattern,
    Options,
    Part,
    Role,
    Share,
    Text,
)

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MEMBERS = ("artifact", "pair", "glob", "named", "uri_glob", "pair_pattern", "triton", "mlflow")


def _cron(value: str) -> str:
    cron.parse(value)
    return value


def _zone(value: str) -> str:
    if value:
        zones.zone(value)
    return value


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("a suite's name has lower-case letters, digits and hyphens, 63 at most")
    return value


def _alone(key: str) -> BeforeValidator:
    """Take a text for the one key that a mapping cannot do without."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class Artifact(Part):
    """One artifact: stored content, or a file at a URI."""

    model: Name | None = Field(default=None, description="models/{sha256}.")
    uri: Name | None = None
    role: Role | None = None
    keep_prob: Share | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Artifact:
        _exactly_one(self, "model", "uri")
        return self


class Pair(Part):
    """A train and an inference artifact of one model."""

    train_model: Name | None = None
    train_uri: Name | None = None
    inference_model: Name | None = None
    inference_uri: Name | None = None
    keep_prob: Share | None = None

    @model_validator(mode="after")
    def _one_source_each(self) -> Pair:
        _exactly_one(self, "train_model", "train_uri")
        _exactly_one(self, "inference_model", "inference_uri")
        return self


class Glob(Part):
    """Stored models by name."""

    pattern: Name = Field(description="Shell pattern of names.")
    role: Role | None = None
    alias: Text = Field(default="", description="The version that has it; the newest where it is absent.")
    all_versions: bool = False


class Named(Part):
    """One stored model by its name."""

    display_name: Name
    alias: Name | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    role: Role | None = None

    @model_validator(mode="after")
    def _one_version(self) -> Named:
        if self.alias is not None and self.version is not None:
            raise ValueError("has an alias or a version, not both")
        return self


class UriGlob(Part):
    """Files below an allowed prefix."""

    pattern: Annotated[Name, Field(description="Such as s3://bucket/models/**/*.onnx.")]
    role: Role | None = None


class PairPattern(Part):
    """Pairs by name: whatever `{name}` stands for is the same in both."""

    train: NamePattern
    inference: NamePattern


class Triton(Part):
    """A folder in the layout of Triton's model repositories."""

    uri: Name
    pattern: Text = ""
    file: Text = ""
    role: Role | None = None


class Mlflow(Part):
    """A model of an MLflow registry."""

    uri: Annotated[Name, Field(pattern="^models:/", description="models:/NAME/VERSION, @ALIAS, or only the name.")]
    role: Role | None = None


class Overrides(Part):
    """Settings of a member that differ from its suite's."""

    role: Role | None = None
    keep_prob: Share | None = None
    options: Options | None = None


class Member(Part):
    """One entry of a suite: exactly one of its kinds."""

    artifact: Artifact | None = None
    pair: Pair | None = None
    glob: Annotated[Glob, _alone("pattern")] | None = None
    named: Annotated[Named, _alone("display_name")] | None = None
    uri_glob: Annotated[UriGlob, _alone("pattern")] | None = None
    pair_pattern: PairPattern | None = None
    triton: Annotated[Triton, _alone("uri")] | None = None
    mlflow: Annotated[Mlflow, _alone("uri")] | None = None
    overrides: Overrides | None = None
    display_name: Text = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Member:
        _exactly_one(self, *_MEMBERS)
        return self


class Schedule(Part):
    """When a suite runs."""

    cron: Annotated[str, AfterValidator(_cron), Field(description="Minute, hour, day of month, month, day of week.")]
    time_zone: Annotated[str, AfterValidator(_zone), Field(description="Such as Europe/Berlin; absent: UTC.")] = ""
    paused: bool = False
    overlap: Annotated[Literal["skip", "queue", "cancel_old"], ANY_CASE] = "skip"
    grace: Duration | None = Field(default=None, description="How late a run may begin, such as 10m.")


class Notification(Part):
    """Whom to tell of runs, and when."""

    webhook_url: Annotated[Name, Field(pattern="^https?://")]
    trigger: Annotated[Literal["on_change", "on_failure", "always", "on_recovery"], ANY_CASE] = "on_change"
    form: Annotated[Literal["json", "slack"], ANY_CASE] = "json"
    secret_from: Name | None = Field(
        default=None, description="Environment variable that holds the key of the signature."
    )


class Suite(Part):
    """A named list of subjects that are audited together."""

    display_name: Text = ""
    members: Annotated[tuple[Member, ...], Field(max_length=1000)] = ()
    options: Options = Field(default_factory=Options)
    schedule: Schedule | None = None
    baseline: Text = ""
    notifications: Annotated[tuple[Notification, ...], Field(max_length=20)] = ()
    labels: dict[str, Text] = Field(default_factory=dict)
    accepted_findings: Annotated[tuple[Accepted, ...], Field(max_length=1000)] = ()
    always_audit: bool = False


class SuitesDocument(Part):
    """The suites of a service, by their ids."""

    owner: Annotated[str, AfterValidator(_identifier)] = Field(
        default="suites-yaml", description="Marks the suites of this document: only its own are pruned."
    )
    suites: dict[Annotated[str, AfterValidator(_identifier)], Suite]


def _exactly_one(part: Part, *names: str) -> None:
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        found = f", not {' and '.join(given)}" if given else ""
        raise ValueError(f"needs exactly one of {', '.join(names)}{found}")


def plain(part: Any) -> Any:
    """Return a part of a document without what is absent or a default, as YAML and JSON know it."""
    return part.model_dump(mode="json", exclude_defaults=True)
