"""Jobs, as a sandbox runs them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from dropaudit import audit
from dropaudit.errors import AuditCancelled, AuditError, OutOfMemory
from dropaudit.measure.cases.inspect import inspect_model
from dropaudit.plan import Progress
from dropaudit.report import to_json
from dropaudit_worker.sandbox.subject_files import Content, model_of, subject_of
from dropaudit_worker.sandbox.wire import AuditJob, Ending, Failed, InspectJob, Job, Made, Refused, Stopped, Told

_LONGEST_TRACE = 20_000

Tell = Callable[[Told], None]
IsStopped = Callable[[], bool]


def done(job: Job, content: list[Content], tell: Tell, is_stopped: IsStopped) -> Ending:
    """Do a job, and return how it ended; nothing is raised but what ends the process."""
    try:
        if isinstance(job, InspectJob):
            return Made(sites=tuple(map(to_json, inspect_model(model_of(content[0])))))
        return _audited(job, content, tell, is_stopped)
    except AuditCancelled:
        return Stopped()
    except AuditError as error:
        return Refused(reason=error.reason, message=error.message)
    except MemoryError:
        out = OutOfMemory()
        return Refused(reason=out.reason, message=out.message)
    except Exception:
        return Failed(trace=traceback.format_exc()[-_LONGEST_TRACE:])


def _audited(job: AuditJob, content: list[Content], tell: Tell, is_stopped: IsStopped) -> Made:
    def progress(state: Progress) -> None:
        tell(Told(progress=to_json(state)))

    subject = subject_of(job.spec.subject, content)
    hits, misses = _lookups()
    report = to_json(audit(subject, job.spec.plan, progress=progress, cancelled=is_stopped))
    hits_after, misses_after = _lookups()
    return Made(report=report, hits=hits_after - hits, misses=misses_after - misses)


def _lookups() -> tuple[int, int]:
    """Return how often a prepared artifact was found, and was not. Recorded outputs need no cache, and load none."""
    module = sys.modules.get("dropaudit.audit_artifacts")
    return (module.CACHE.hits, module.CACHE.misses) if module else (0, 0)
