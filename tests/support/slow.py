"""The tests that `make test-fast` leaves out, as a plugin of pytest that marks them `slow`.

Chosen from `make test-durations`: what takes more than about a second on an idle machine. Whole files are named where
most of their tests start processes or audit dozens of models. What starts the whole service is marked `system` in its
own file, and is left out too. A test that `make test-fast` must not miss can be added to neither.
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
    "tests/core/graph/reading/test_held_weights.py",
    "tests/core/graph/reading/test_limits.py::test_as_many_operators_as_may_be",
    "tests/core/measure/sampling/test_excerpt.py",
    "tests/core/stats/test_keep_rate.py::test_watched_all_along",
    "tests/core/test_against_monte_carlo.py",
    "tests/core/test_shortening.py",
    "tests/deploy/test_backup.py",
    "tests/docs/test_site.py",
    "tests/evaluation/",
    "tests/examples/",
    "tests/golden/test_findings.py",
    "tests/models/test_corpus.py",
    "tests/models/test_guide.py",
    "tests/models/test_models_command.py",
    "tests/models/test_specimens.py::test_da102_is_claimed",
    "tests/models/test_specimens.py::test_specimens_of_any_size_type_and_opset_run",
    "tests/models/test_specimens.py::test_the_first_specimens_load_in_a_default_session",
    "tests/properties/",
    "tests/server/interceptors/test_access.py",
    "tests/server/interceptors/test_caller_limits.py",
    "tests/server/requests/test_archives.py",
    "tests/server/serving/",
    "tests/server/test_cancel.py",
    "tests/server/test_create_audit.py::test_an_archive_that_unpacks",
    "tests/server/test_full.py",
    "tests/server/test_list_audits.py::test_a_page_that_would_be_too_large",
    "tests/server/test_models.py",
    "tests/server/test_upload.py::test_a_full_disk",
    "tests/store/audits/test_listing.py::test_pages_hold_what_a_walk_over_all_finds_in_its_order",
    "tests/store/audits/test_watching.py",
    "tests/store/content/test_referenced.py",
    "tests/store/content/test_s3_blobs.py",
    "tests/store/redis/test_cluster.py",
    "tests/store/shared/test_byte_limits.py",
    "tests/store/test_suites.py::test_a_model_is_either_deleted_or_named",
    "tests/tools/",
    "tests/worker/making/test_interruptions.py",
    "tests/worker/pool/",
    "tests/worker/queue/test_transport.py",
    "tests/worker/sandbox/",
)
"""Beginnings of test ids."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow ones."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
