"""Looks at a stored model without running it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dropaudit.errors import AuditError
from dropaudit.report import Site, to_json
from dropaudit_store.inspections import Inspection, Inspections
from dropaudit_store.records import Failure

Inspect = Callable[[str], tuple[Site, ...]]

_log = structlog.get_logger(__name__)


class ModelInspector:
    """Finds the sites of models and keeps them for who asked."""

    def __init__(self, inspections: Inspections, inspect: Inspect) -> None:
        self._inspections = inspections
        self._inspect = inspect

    def look(self, sha256: str) -> None:
        """Look at a model, unless somebody has."""
        if self._inspections.get(sha256) is None:
            self._inspections.put(sha256, self._found(sha256))

    def _found(self, sha256: str) -> Inspection:
        try:
            return Inspection(sites=tuple(map(to_json, self._inspect(sha256))))
        except AuditError as error:
            return Inspection(failure=Failure(reason=error.reason, message=error.message))
        except Exception:
            _log.exception("a model could not be inspected", model=sha256)
            failure = Failure(
                reason="INTERNAL", message="the inspection failed unexpectedly; the worker's log says why"
            )
            return Inspection(failure=failure)
