"""What false alarms and power are counted on: specimens with known answers, from wherever they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dropaudit.findings import CATALOGUE
from dropaudit.plan import Role
from dropaudit.report import Report, Severity, Verdict
from dropaudit.subjects import ArtifactSubject, PairSubject
from dropaudit_evaluation.labels import Label, read_labels


class Specimen(Protocol):
    """A model, or a pair, whose audit is known beforehand.

    Attributes:
        name: of the kind of model; results are added up by it.
        model: the artifact, of a pair the train artifact.
        inference: a pair's other artifact.
        role: to audit a single artifact in.
        keep_prob: what is declared to the audit.
        codes: findings that must all be there; a specimen without any of severity ERROR is healthy.
        allowed: further findings that are right.
    """

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> bytes: ...
    @property
    def inference(self) -> bytes | None: ...
    @property
    def role(self) -> Role: ...
    @property
    def keep_prob(self) -> float | None: ...
    @property
    def codes(self) -> frozenset[str]: ...
    @property
    def allowed(self) -> frozenset[str]: ...
    @property
    def healthy(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The plain specimen."""

    name: str
    model: bytes = field(repr=False)
    inference: bytes | None = field(default=None, repr=False)
    role: Role = Role.TRAIN
    keep_prob: float | None = None
    codes: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    healthy: bool = True


def trials_of_folder(folder: Path) -> tuple[Trial, ...]:
    """Read a labelled folder: rows that allow no verdict but PASS and WARN are healthy, other verdicts are faults.

    Rows with an error, with alternatives or with inputs of their own are left out; what a healthy row does not forbid
    is allowed when it may end in WARN.

    Raises:
        UnreadableFile: the folder or its labels cannot be read.
        InvalidLabels: they are none.
    """
    rows = (row for row in read_labels(folder) if row.verdict and row.inputs is None and not row.codes_any)
    return tuple(_trial(folder, row) for row in rows)


def _trial(folder: Path, row: Label) -> Trial:
    healthy = set(row.verdict) <= {Verdict.PASS, Verdict.WARN}
    warnings = {code for code, kind in CATALOGUE.items() if kind.severity is Severity.WARNING} - row.not_codes
    return Trial(
        name=row.file.partition("__")[0].removesuffix(".onnx"),
        model=(folder / row.file).read_bytes(),
        inference=None if row.inference is None else (folder / row.inference).read_bytes(),
        role=row.role,
        keep_prob=row.declared_keep_prob,
        codes=row.codes,
        allowed=frozenset(warnings) if Verdict.WARN in row.verdict else frozenset(),
        healthy=healthy,
    )


def subject_of(specimen: Specimen) -> ArtifactSubject | PairSubject:
    """Return what to audit."""
    if specimen.inference is None:
        return ArtifactSubject(specimen.model, specimen.role, keep_prob=specimen.keep_prob)
    return PairSubject(specimen.model, specimen.inference, keep_prob=specimen.keep_prob)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one audit said about a specimen.

    Attributes:
        false_errors: codes of severity ERROR that are wrong.
        false_warnings: codes of severity WARNING that are wrong.
        missed: codes that should be there and are not.
        undecided: whether a test had not decided.
    """

    false_errors: frozenset[str]
    false_warnings: frozenset[str]
    missed: frozenset[str]
    undecided: bool


def judged(specimen: Specimen, report: Report) -> Verdicts:
    """Compare a report with what is known. Findings of severity INFO are never wrong."""
    right = specimen.codes | specimen.allowed
    found = {finding.code: finding.severity for finding in report.findings}
    return Verdicts(
        false_errors=frozenset(code for code, how in found.items() if how is Severity.ERROR and code not in right),
        false_warnings=frozenset(code for code, how in found.items() if how is Severity.WARNING and code not in right),
        missed=specimen.codes - found.keys(),
        undecided=report.verdict is Verdict.INCONCLUSIVE,
    )
