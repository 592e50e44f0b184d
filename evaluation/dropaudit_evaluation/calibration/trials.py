"""Specimens with known answers, on which false alarms and power are counted."""

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
        codes: findings that must all be there.
        codes_any: groups of which one each must be there.
        allowed: further findings that are right.
        healthy: whether there is nothing wrong, so that a false finding is an alarm.
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
    def codes_any(self) -> tuple[frozenset[str], ...]: ...
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
    codes_any: tuple[frozenset[str], ...] = ()
    allowed: frozenset[str] = frozenset()
    healthy: bool = True


_OF_THE_RUNTIME = frozenset({"DA102"})


def trials_of_folder(folder: Path) -> tuple[Trial, ...]:
    """Read a labelled folder; rows without a verdict or with inputs of their own are left out.

    Raises:
        UnreadableFile: the folder or its labels cannot be read.
        InvalidLabels: they are none.
    """
    rows = (row for row in read_labels(folder) if row.verdict and row.inputs is None)
    return tuple(_trial_in(folder, row) for row in rows)


def _trial_in(folder: Path, row: Label) -> Trial:
    name = row.file.partition("__")[0].removesuffix(".onnx")
    inference = None if row.inference is None else (folder / row.inference).read_bytes()
    return labelled_trial(name, row, (folder / row.file).read_bytes(), inference)


def labelled_trial(name: str, row: Label, model: bytes, inference: bytes | None) -> Trial:
    """Return what a label says about a model.

    It is healthy when it may not end in FAIL and nothing has to be found but information, or what the runtime does
    (DA102). A model that may end in WARN is allowed the warnings that its label does not forbid, one that may end in
    FAIL everything that the label does not forbid.
    """
    warnings = {code for code, kind in CATALOGUE.items() if kind.severity is Severity.WARNING}
    fails = Verdict.FAIL in row.verdict
    allowed = CATALOGUE.keys() if fails else warnings if Verdict.WARN in row.verdict else set()
    return Trial(
        name=name,
        model=model,
        inference=inference,
        role=row.role,
        keep_prob=row.declared_keep_prob,
        codes=row.codes,
        codes_any=row.codes_any,
        allowed=frozenset(allowed - row.not_codes),
        healthy=not fails and not row.codes & (warnings - _OF_THE_RUNTIME),
    )


def subject_of(specimen: Specimen) -> ArtifactSubject | PairSubject:
    """Return what to audit."""
    if specimen.inference is None:
        return ArtifactSubject(specimen.model, specimen.role, keep_prob=specimen.keep_prob)
    return PairSubject(specimen.model, specimen.inference, keep_prob=specimen.keep_prob)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The answer of one audit about a specimen.

    Attributes:
        false_errors: codes of severity ERROR that are wrong.
        false_warnings: codes of severity WARNING that are wrong.
        missed: codes that should be there and are not; of alternatives all in one.
        undecided: whether a test had not decided.
    """

    false_errors: frozenset[str]
    false_warnings: frozenset[str]
    missed: frozenset[str]
    undecided: bool


def judged(specimen: Specimen, report: Report) -> Verdicts:
    """Compare a report with what is known. Findings of severity INFO are never wrong."""
    right = specimen.codes.union(specimen.allowed, *specimen.codes_any)
    found = {finding.code: finding.severity for finding in report.findings}
    return Verdicts(
        false_errors=frozenset(code for code, how in found.items() if how is Severity.ERROR and code not in right),
        false_warnings=frozenset(code for code, how in found.items() if how is Severity.WARNING and code not in right),
        missed=(specimen.codes - found.keys()).union(
            " or ".join(sorted(group)) for group in specimen.codes_any if not group & found.keys()
        ),
        undecided=report.verdict is Verdict.INCONCLUSIVE,
    )
