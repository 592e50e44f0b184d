"""How one member of a run ended."""

from __future__ import annotations

import msgspec

from dropaudit.report import Report, Verdict


class NotMade(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An audit without a report: it failed or was cancelled.

    Attributes:
        reason: the stable word of the error, such as INVALID_MODEL.
        digests: SHA-256 of the member's files, where they are known.
    """

    reason: str
    message: str = ""
    digests: tuple[str, ...] = ()


Outcome = Report | NotMade


def digests_of(outcome: Outcome) -> tuple[str, ...]:
    """Return the SHA-256 of each file that was audited; none for recorded arrays, and where it is not known."""
    if isinstance(outcome, NotMade):
        return outcome.digests
    return tuple(artifact.sha256 for artifact in outcome.execution.artifacts)


def is_failing(outcome: Outcome) -> bool:
    """Whether the verdict is FAIL, or the audit could not be made."""
    return isinstance(outcome, NotMade) or outcome.verdict is Verdict.FAIL
