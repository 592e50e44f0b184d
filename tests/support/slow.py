"""The tests that `make test-fast` leaves out, as a plugin of pytest that marks them `slow`.

Chosen from `make test-durations`: what takes more than about a second on an idle machine. Whole files and folders are
named where most of their tests start processes, need a Redis or audit dozens of models. What starts the whole service
is marked `system` in its own file, and is left out too. A test that `make test-fast` must not miss can be added to
neither.
"""

from __future__ import annotations

import pytest

SLOW = (
    "tests/benchmarks/",
    "tests/browser/",
    "tests/client/batch/",
    "tests/client/documents/",
    "tests/client/machines/",
    "tests/client/naming/",
    "tests/client/runs/",
    "tests/client/test_command.py",
    "tests/client/test_no_server.py",
    "tests/client/test_with_server.py",
    "tests/core/graph/reading/external/test_split.py::test_a_file_on_the_disk",
    "tests/core/graph/reading/external/test_split.py::test_an_audit_says",
    "tests/core/graph/reading/test_held_weights.py",
    "tests/core/graph/reading/test_limits.py::test_as_many_operators_as_may_be",
    "tests/core/judge/test_presence_findings.py",
    "tests/core/judge/test_scales_of_chains.py",
    "tests/core/measure/cases/test_inspect.py",
    "tests/core/measure/finding/test_joint_masks.py",
    "tests/core/measure/finding/test_pair_factors.py",
    "tests/core/measure/sampling/test_excerpt.py",
    "tests/core/stats/test_keep_rate.py::test_watched_all_along",
    "tests/core/test_against_monte_carlo.py",
    "tests/core/test_peak_memory.py",
    "tests/core/test_pytest_plugin.py",
    "tests/core/test_shortening.py",
    "tests/deploy/test_backup.py",
    "tests/docs/test_site.py",
    "tests/evaluation/",
    "tests/examples/",
    "tests/formats/runs/",
    "tests/formats/test_sarif.py",
    "tests/formats/test_schemas.py",
    "tests/golden/test_findings.py",
    "tests/models/test_corpus.py",
    "tests/models/test_guide.py",
    "tests/models/test_models_command.py",
    "tests/models/test_specimens.py::test_da102_is_claimed",
    "tests/models/test_specimens.py::test_specimens_of_any_size_type_and_opset_run",
    "tests/models/test_specimens.py::test_the_first_specimens_load_in_a_default_session",
    "tests/properties/",
    "tests/server/",
    "tests/store/",
    "tests/system/",
    "tests/tools/",
    "tests/worker/",
)
"""Beginnings of test ids."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow ones."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
