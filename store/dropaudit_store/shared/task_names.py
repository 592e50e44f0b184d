"""Names that server and workers agree on: the server submits by task name and never imports a worker."""

from __future__ import annotations

from dropaudit_store.records import Priority

# Every worker serves the first; those with a GPU serve the second before it.
QUEUE = "dropaudit"
# Names the format of a message; one without it is of the first.
FORMAT_HEADER = "dropaudit_format"
GPU_QUEUE = "dropaudit-gpu"
# Each takes one id, or the SHA-256 of a model.
AUDIT_TASK = "dropaudit.audit"
INSPECT_TASK = "dropaudit.inspect"
PREVIEW_TASK = "dropaudit.preview"
# Sent by an earlier version.
SYNC_SUITE_TASK = "dropaudit.sync_suite"
RUN_SUITE_TASK = "dropaudit.run_suite"
# Each takes the name of a run.
MAKE_RUN_TASK = "dropaudit.make_run"
END_RUN_TASK = "dropaudit.end_run"
# Take nothing.
CLEAN_TASK = "dropaudit.clean"
TICK_TASK = "dropaudit.tick"
DELIVER_TASK = "dropaudit.deliver"

# A worker takes messages of the first step before those of the second; over Redis, Celery's lowest number is served
# first.
STEPS = {Priority.INTERACTIVE: 0, Priority.BATCH: 9}
