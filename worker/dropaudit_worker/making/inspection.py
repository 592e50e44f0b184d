"""Looks at a stored model without running it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dropaudit.errors import AuditError
from dropaudit.report import Site, to_json
from dropaudit_store.audits.lifecycle import WORKER_LOST
from dropaudit_store.content.inspections import Inspection, Inspections
from dropaudit_store.records import Failure
from dropaudit_worker.making.safe_failure import safe_failure
from dropaudit_worker.sandbox.host import SandboxLost

Inspect = Callable[[str], tuple[Site, ...] | Failure]

_log = structlog.get_logger(__name__)


class ModelInspector:
    """Finds the sites of models and keeps them for who asked."""

    def __init__(self, inspections: Inspections, inspect: Inspect) -> None:
        self._inspections = inspections
        self._inspect = inspect

    def look(self, sha256: str) -> None:
        """Inspect a model, unless that is done already."""
        if self._inspections.get(sha256) is None:
            self._inspections.put(sha256, self._found(sha256))

    def _found(self, sha256: str) -> Inspection:
        try:
            found = self._inspect(sha256)
            if isinstance(found, Failure):
                return Inspection(failure=safe_failure(found))
            return Inspection(sites=tuple(map(to_json, found)))
        except AuditError as error:
            return Inspection(failure=safe_failure(error))
        except SandboxLost as lost:
            _log.warning("a sandbox was lost while it inspected a model", model=sha256, cause=lost.cause)
            return Inspection(failure=Failure(reason=WORKER_LOST, message=f"its process was lost: {lost.cause}"))
        except Exception:
            _log.exception("a model could not be inspected", model=sha256)
            failure = Failure(
                reason="INTERNAL", message="the inspection failed unexpectedly; the worker's log says why"
            )
            return Inspection(failure=failure)
