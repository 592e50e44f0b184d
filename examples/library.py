"""Audits one ONNX file in this process, and prints what is wrong with it.

    python examples/library.py model.onnx

Needs the extra `cpu` or `gpu`. Exit status: 1 when the verdict is FAIL.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dropaudit import ArtifactSubject, Plan, Report, Role, audit
from dropaudit.report import Verdict


def main(path: str) -> int:
    """Audit a file that is meant to drop units."""
    subject = ArtifactSubject(Path(path).read_bytes(), Role.TRAIN)
    report = audit(subject, Plan(seed=1, max_replicates=20_000))
    show(report)
    return 1 if report.verdict is Verdict.FAIL else 0


def show(report: Report) -> None:
    """Print the verdict, each site's numbers, and each finding with its remedy."""
    print(f"{report.verdict}  {report.summary}")
    for site in report.sites:
        scale = "-" if site.scale is None else f"{site.scale.median:.4g}, expected {site.scale.expected:.4g}"
        print(f"site {site.name}: keep probability {site.keep_prob}, scale {scale}")
    for finding in report.findings:
        print(f"{finding.severity} {finding.code} {finding.subject}: {finding.message} {finding.remedy}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
