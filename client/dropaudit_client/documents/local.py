"""`dropaudit.yaml`: what `dropaudit run` audits together, how, and which findings are accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from dropaudit_client.documents.checking import checked
from dropaudit_client.documents.fields import Accepted, Name, NamePattern, Options, Part, Role, Share
from dropaudit_client.documents.located import read_located

FILE_NAME = "dropaudit.yaml"


class Pair(Part):
    """Train and inference artifacts by name: whatever `{name}` stands for is the same in both."""

    train: NamePattern = Field(description="Such as models/{name}-train.onnx; relative to the document.")
    inference: NamePattern = Field(description="Such as models/{name}-inference.onnx.")


class Setting(Part):
    """How a file is audited."""

    role: Role | None = Field(default=None, description="How the artifact is meant to be used.")
    keep_prob: Share | None = Field(default=None, description="Keep probability that the training code declares.")
    inputs: Name | None = Field(default=None, description="An .npz file to run on; relative to the document.")
    options: Options = Field(default_factory=Options)


class Override(Setting):
    """Settings for some of the files; of several that match, later ones win."""

    member: Name = Field(description="Shell pattern of the files, relative to the document.")


class LocalDocument(Setting):
    """The local form of a suite."""

    files: tuple[Name, ...] = Field(
        default=(), description="Files, folders and patterns that are audited when none are given."
    )
    pairs: tuple[Pair, ...] = Field(default=(), description="Pairs by name, audited when no files are given.")
    overrides: tuple[Override, ...] = ()
    accepted_findings: Annotated[tuple[Accepted, ...], Field(max_length=1000)] = ()


def read_local(path: Path) -> LocalDocument:
    """Read a `dropaudit.yaml`.

    Raises:
        UnreadableFile: it cannot be read.
        InvalidDocument: it is wrong, with everything that is.
    """
    return checked(read_located(path), LocalDocument)
