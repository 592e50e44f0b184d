"""Rows of a labelled corpus: which file to audit how, and what the audit must say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from dropaudit.errors import UnreadableFile
from dropaudit.findings import CATALOGUE
from dropaudit.plan import Role
from dropaudit.report import Family, Placement, Verdict
from dropaudit_evaluation.errors import InvalidLabels

FILE = "labels.json"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One row; what is left out is not looked at.

    Attributes:
        file: the artifact, relative to the folder; of a pair the train artifact.
        role: to audit a single artifact in.
        inference: a pair's other file.
        inputs: an .npz of what to run on.
        verdict: any of these.
        codes: findings that must all be there.
        codes_any: groups of which one each must be there.
        not_codes: findings that must not be there.
        no_errors: no finding of severity ERROR.
        exit: status that the command must end with.
        error: reason of an audit that cannot be made, such as `invalid-model`.
        keep_prob_in: a number is declared to the audit; of two numbers the measured keep probability of a site must
            lie between.
        placement, family: what a site must be called, any of these.
    """

    file: str
    role: Role = Role.AUTO
    inference: str | None = None
    inputs: str | None = None
    verdict: tuple[Verdict, ...] = ()
    codes: frozenset[str] = frozenset()
    codes_any: tuple[frozenset[str], ...] = ()
    not_codes: frozenset[str] = frozenset()
    no_errors: bool = False
    exit: int | None = None
    error: str | None = None
    keep_prob_in: float | tuple[float, float] | None = None
    placement: tuple[Placement, ...] = ()
    family: tuple[Family, ...] = ()

    @property
    def declared_keep_prob(self) -> float | None:
        """The declarations that the audit is given."""
        return None if isinstance(self.keep_prob_in, tuple) else self.keep_prob_in

    @property
    def measured_between(self) -> tuple[float, float] | None:
        """Where the measured keep probability of a site must lie."""
        return self.keep_prob_in if isinstance(self.keep_prob_in, tuple) else None

    @property
    def reason(self) -> str | None:
        """The expected error as the audit spells it: `invalid-model` is INVALID_MODEL."""
        return None if self.error is None else self.error.upper().replace("-", "_")

    @property
    def named_codes(self) -> frozenset[str]:
        """All codes that the row names."""
        return self.codes.union(self.not_codes, *self.codes_any)


def read_labels(folder: Path) -> tuple[Label, ...]:
    """Read the rows of a folder, in their order.

    Raises:
        UnreadableFile: the folder, its labels or a file that they name is not there.
        InvalidLabels: they are not a list of rows, or name a finding that does not exist.
    """
    path = folder / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    rows = parse_labels(content, str(path))
    for name in {name for row in rows for name in (row.file, row.inference, row.inputs) if name is not None}:
        if not (folder / name).is_file():
            raise UnreadableFile(f"{path} names {name}, which is not there", path=str(folder / name))
    return rows


def parse_labels(content: bytes, source: str) -> tuple[Label, ...]:
    """Read rows from JSON; `source` names it in errors. Raises InvalidLabels."""
    try:
        rows = msgspec.convert(_lists_first(msgspec.json.decode(content)), tuple[Label, ...])
    except msgspec.MsgspecError as error:
        raise InvalidLabels(f"{source} is not a list of labels: {error}", path=source) from error
    for row in rows:
        if unknown := sorted(row.named_codes - CATALOGUE.keys()):
            raise InvalidLabels(f"{source} names {unknown[0]} for {row.file}, which is not a finding", path=source)
    return rows


def _lists_first(document: Any) -> Any:
    """Turn single words into lists of one, so that a row may say `"placement": "OUTPUT"` or a list of them."""
    if not isinstance(document, list):
        return document
    return [
        {key: [value] if key in _ANY_OF and isinstance(value, str) else value for key, value in row.items()}
        if isinstance(row, dict)
        else row
        for row in document
    ]


_ANY_OF = frozenset({"verdict", "placement", "family"})
