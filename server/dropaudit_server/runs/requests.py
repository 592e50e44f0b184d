"""From requests about runs to what they ask for."""

from __future__ import annotations

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.names import run_ids
from dropaudit_server.requests.violations import InvalidRequest, Violations

_VIEWS = {pb.VIEW_UNSPECIFIED: True, pb.VIEW_BASIC: False, pb.VIEW_FULL: True}


def is_whole(request: pb.GetRunRequest) -> bool:
    """Whether a run is asked for with its audits. Raises InvalidRequest."""
    violations = Violations()
    whole = violations.meaning(_VIEWS, request.view, "view")
    violations.check()
    return whole


def compare_runs(request: pb.CompareRunsRequest) -> tuple[str, str, str]:
    """Return a suite, a run of it, and the run it is compared with; empty: the one before. Raises InvalidRequest."""
    suite_id, run_id = run_ids(request.name)
    if not request.base:
        return suite_id, run_id, ""
    try:
        base_suite, base = run_ids(request.base)
    except InvalidRequest as error:
        raise InvalidRequest([("base", error.violations[0].description)]) from error
    if base_suite != suite_id:
        raise InvalidRequest([("base", f"must be a run of suites/{suite_id} too")])
    return suite_id, run_id, base
