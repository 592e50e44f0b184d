"""Audits in tests of your own, as a plugin of pytest that needs nothing but pytest.

>>> from dropaudit.pytest import assert_dropout_scaling             # doctest: +SKIP
>>> def test_what_we_serve_scales_its_dropout():                    # doctest: +SKIP
...     assert_dropout_scaling(Path("model.onnx"), role=Role.TRAIN)
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

import pytest

from dropaudit.audit import audit
from dropaudit.files.model_files import ModelContent
from dropaudit.finding_code import FindingCode
from dropaudit.plan import Plan, Role
from dropaudit.report import Finding, Report, Severity
from dropaudit.subjects import Array, ArtifactSubject, PairSubject, RecordedSubject, Subject


class Serializable(Protocol):
    """A model as `onnx.load` returns it."""

    def SerializeToString(self) -> bytes:  # noqa: N802
        """Return the content of a file."""
        ...


Model = Path | str | bytes | Serializable


def assert_dropout_scaling(
    subject: Subject | Model,
    *,
    role: Role = Role.AUTO,
    inference: Model | None = None,
    inputs: dict[str, Array] | None = None,
    keep_prob: float | None = None,
    plan: Plan | None = None,
    allow: Collection[str] = (),
    fail_on: Severity = Severity.ERROR,
) -> Report:
    """Audit a model, and fail with what was found unless its dropout is right.

    Args:
        subject: a model as a path, as bytes or as `onnx.load` returns it; or any subject of `dropaudit.audit`, which
            then holds what the next four arguments say of a model.
        role: how the model is meant to be used.
        inference: the inference artifact of the same model.
        inputs: what to run on; made from the signature when None.
        keep_prob: what the training code declares.
        plan: how to measure and decide.
        allow: codes that may be found, such as DA402.
        fail_on: the mildest severity that fails. A test that was undecided fails too, unless DA901 is allowed.

    Returns:
        The report.

    Raises:
        AssertionError: something was found that is not allowed.
        AuditError: the audit could not be made.
    """
    __tracebackhide__ = True
    if not isinstance(subject, ArtifactSubject | PairSubject | RecordedSubject):
        subject = _subject(subject, role, inference, inputs, keep_prob)
    report = audit(subject, plan)
    found = [finding for finding in report.findings if _counts(finding, fail_on) and finding.code not in allow]
    if found:
        raise AssertionError(_told(report, found))
    return report


@pytest.fixture
def dropout_audit(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """`assert_dropout_scaling`, which also notes verdict and findings for `--junit-xml`."""

    def audited(subject: Subject | Model, **options: Any) -> Report:
        __tracebackhide__ = True
        report = assert_dropout_scaling(subject, **options)
        codes = " ".join(finding.code for finding in report.findings)
        request.node.user_properties += [("dropaudit.verdict", report.verdict.value), ("dropaudit.findings", codes)]
        return report

    return audited


_GRAVITY = (Severity.INFO, Severity.WARNING, Severity.ERROR)


def _counts(finding: Finding, fail_on: Severity) -> bool:
    return finding.code == FindingCode.INCONCLUSIVE or _GRAVITY.index(finding.severity) >= _GRAVITY.index(fail_on)


def _told(report: Report, found: list[Finding]) -> str:
    findings = (
        f"{finding.severity} {finding.code} {finding.slug}  {finding.subject}\n  {finding.message}\n"
        f"  Remedy: {finding.remedy}"
        for finding in found
    )
    return "\n\n".join([f"{report.verdict}: {report.summary}", *findings])


def _subject(
    model: Model, role: Role, inference: Model | None, inputs: dict[str, Array] | None, keep_prob: float | None
) -> Subject:
    content = _content(model)
    if inference is None:
        return ArtifactSubject(model=content, role=role, inputs=inputs, keep_prob=keep_prob)
    return PairSubject(train=content, inference=_content(inference), inputs=inputs, keep_prob=keep_prob)


def _content(model: Model) -> ModelContent:
    if isinstance(model, bytes):
        return model
    if isinstance(model, str | Path):
        # Imported here: onnx is heavy, and every session of pytest loads this module.
        from dropaudit.graph.reading.load import read_artifact

        return read_artifact(Path(model))
    return model.SerializeToString()
