"""Names that server and workers agree on: the server submits by task name and never imports a worker."""

from __future__ import annotations

QUEUE = "dropaudit"
# Each takes one id.
AUDIT_TASK = "dropaudit.audit"
SYNC_SUITE_TASK = "dropaudit.sync_suite"
RUN_SUITE_TASK = "dropaudit.run_suite"
