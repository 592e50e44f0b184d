"""The rule for skipped tests, as a plugin of pytest."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

UNDER_CI = bool(os.environ.get("CI"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a test may be skipped for want of a GPU and for nothing else."""
    report = yield
    if UNDER_CI and report.skipped and item.get_closest_marker("gpu") is None and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI, where only tests that need a GPU may be: {report.longrepr}"
    return report
