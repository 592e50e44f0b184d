"""The tests that `make test-fast` leaves out, as a plugin of pytest that marks them `slow`.

Chosen by `make test-durations`: what takes more than a second on an idle machine, and adds up. Whole files are named
where most of their tests are slow; everything that starts the whole service is marked `system`, and left out too.
"""

from __future__ import annotations

import pytest

SLOW: tuple[str, ...] = ()
"""Beginnings of test ids."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow ones."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
