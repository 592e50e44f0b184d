"""`python -m dropaudit_worker [worker|beat] [--check]`: reads the settings and runs until SIGTERM or SIGINT."""

from __future__ import annotations

import os
import sys
from contextlib import closing

from celery.signals import setup_logging, worker_shutdown
from pydantic import ValidationError

from dropaudit.errors import AuditError, InvalidArgument
from dropaudit_store.redis.connection import connect, refuse_cluster
from dropaudit_store.settings import problems
from dropaudit_store.shared.logs import configure_logs
from dropaudit_store.shared.program import Program, failed_settings, refuse, run_checks, warn_of_settings
from dropaudit_store.shared.task_names import GPU_QUEUE, QUEUE
from dropaudit_worker.app import make_app
from dropaudit_worker.checking import checks_of_beat, checks_of_worker
from dropaudit_worker.pool.machine import children, count_gpus, machine_memory, usable_cores, usable_gpus
from dropaudit_worker.settings import WorkerSettings

_NAME = "dropaudit-worker"
_PROGRAM = Program(
    "python -m dropaudit_worker",
    "The Celery side of dropaudit: workers make audits, each model in a sandbox of its own, and one beat or more have "
    "them look at what is due. It reads its settings from the environment, and runs until SIGTERM or SIGINT.",
    WorkerSettings,
    {"worker": "makes audits", "beat": "ticks, so that scheduled suites run"},
)


def main() -> int:
    """Run, or check. Returns 2 when arguments or settings are invalid, 1 when the worker or a check failed."""
    role, only_check = _PROGRAM.asked(sys.argv[1:])
    try:
        settings = WorkerSettings()
        configure_logs(settings.log_level)
        misspelled = _PROGRAM.misspelled(os.environ)
        if only_check:
            checks = checks_of_beat(settings) if role == "beat" else checks_of_worker(settings, count_gpus)
            return run_checks(checks, misspelled)
        warn_of_settings(misspelled)
        with closing(connect(settings.redis_url)) as client:
            refuse_cluster(client)
    except ValidationError as error:
        return failed_settings(problems(error)) if only_check else refuse(_NAME, problems(error))
    except AuditError as error:
        return refuse(_NAME, [error.message])
    return _run(settings, role)


def _run(settings: WorkerSettings, role: str) -> int:
    level = settings.log_level
    # Celery leaves logging alone when somebody listens to this signal.
    setup_logging.connect(lambda **_: configure_logs(level), weak=False)
    if role == "beat":
        make_app(settings).Beat(loglevel=level, quiet=True).run()
        return 0
    try:
        gpus = usable_gpus(settings.device)
    except InvalidArgument as error:
        return refuse(_NAME, [error.message])
    count, limits = children(settings, gpus, usable_cores(), machine_memory())
    queues = [GPU_QUEUE, QUEUE] if gpus else [QUEUE]
    failures = list[BaseException]()
    # Celery tells nobody else how its worker ended.
    worker_shutdown.connect(lambda **_: _note_error(failures), weak=False)
    make_app(settings, limits).worker_main(
        [
            *("--quiet", "worker", "--pool=prefork", f"--concurrency={count}", f"--queues={','.join(queues)}"),
            *("--without-gossip", "--without-mingle", f"--loglevel={level}"),
            f"--hostname=dropaudit-{os.getpid()}@%h",
        ]
    )
    return 1 if failures else 0


def _note_error(failures: list[BaseException]) -> None:
    """Note the error that ends a worker; one that is asked to stop is ended by SystemExit."""
    error = sys.exception()
    if isinstance(error, Exception):
        failures.append(error)


if __name__ == "__main__":
    sys.exit(main())
