"""Audits dropout in ONNX models: train mode against inference mode, with sound statistics.

>>> from dropaudit import RecordedSubject, audit                                   # doctest: +SKIP
>>> audit(RecordedSubject(inference=y1, train=(y2,), keep_prob=0.5)).verdict       # doctest: +SKIP
<Verdict.PASS: 'PASS'>

Importing this package loads neither onnx nor onnxruntime; `audit` does when it meets an artifact.
"""

from dropaudit.audit import audit
from dropaudit.plan import Plan, Provider, Role
from dropaudit.report import Report
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit.version import __version__

__all__ = [
    "ArtifactSubject",
    "PairSubject",
    "Plan",
    "Provider",
    "RecordedSubject",
    "Report",
    "Role",
    "Subject",
    "__version__",
    "audit",
]
