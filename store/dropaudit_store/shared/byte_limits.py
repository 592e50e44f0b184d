"""How much of each kind is kept, in bytes. What a caller or a model sends is cut or refused before it is stored."""

from __future__ import annotations

from dropaudit.shortening import LONGEST_NAME

# Display names, patterns and names of tensors. A report's are cut, a caller's refused.
NAME_BYTES = LONGEST_NAME
# The display name of an audit: for a pair both names and the sign between them.
TITLE_BYTES = 1100
# The request of an audit, and a suite, as they are stored.
REQUEST_BYTES = 1 << 20
SUITE_BYTES = 1 << 20
# One event of an audit's stream, of which about a thousand are kept.
EVENT_BYTES = 16 << 10
FAILURE_BYTES = 4096
# The sites that a worker found in a model.
INSPECTION_BYTES = 3 << 20
# The changes from one run to another, as they are stored.
COMPARISON_BYTES = 1 << 20
# A message of a list. With a report and its request it stays under the 4 MiB that every gRPC client takes.
PAGE_BYTES = 3 << 20
# Bytes that are read from Redis for one page, however few of them are shown.
READ_BYTES = 16 << 20
# Audits of one run.
MOST_OF_RUN = 10_000
