"""Audits through the whole service, whose worker has a GPU in its sandbox: a part of `make gpu-check`."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dropaudit import ArtifactSubject, Plan, Role
from dropaudit.plan import Provider
from dropaudit_chaos.parts import serving
from dropaudit_client import AuditClient
from dropaudit_client.errors import ServiceError

_AUDITS = 12


def through_the_service(rows: Sequence[Mapping[str, Any]], device: str) -> dict[str, Any]:
    """Audit the first labelled models through a service of its own.

    Returns:
        How many audits were made on which provider, how many have a verdict of their label, and what refused others.
    """
    providers: Counter[str] = Counter()
    refused: list[str] = []
    as_labelled, start = 0, time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), 1) as service,
        AuditClient(service.address) as client,
    ):
        for row in [row for row in rows if not row.get("inputs")][:_AUDITS]:
            subject = ArtifactSubject((Path(row["folder"]) / row["file"]).read_bytes(), Role(row["role"]))
            try:
                report = client.audit(subject, Plan(provider=Provider(device)))
            except ServiceError as error:
                refused.append(f"{row['file']}: {error}")
                continue
            providers[report.execution.provider] += 1
            as_labelled += report.verdict.value in row["verdict"]
    return {
        "by provider": dict(providers),
        "as labelled": as_labelled,
        "refused": refused,
        "seconds": time.perf_counter() - start,
    }
