"""`python -m dropaudit_worker [worker|beat]`: reads the settings and runs until SIGTERM or SIGINT."""

from __future__ import annotations

import os
import sys
from contextlib import closing

from celery.signals import setup_logging, worker_shutdown
from pydantic import ValidationError

from dropaudit.errors import AuditError
from dropaudit_store.redis.connection import connect, refuse_cluster
from dropaudit_store.settings import problems
from dropaudit_store.shared.logs import configure_logs
from dropaudit_store.shared.spans import require_tracing
from dropaudit_store.shared.task_names import GPU_QUEUE, QUEUE
from dropaudit_worker.app import make_app
from dropaudit_worker.pool.machine import children, count_gpus, machine_memory, usable_cores
from dropaudit_worker.settings import WorkerSettings

_ROLES = ("worker", "beat")


def main() -> int:
    """Run. Returns 2 when the arguments or settings are invalid, 1 when the worker ended on an error."""
    role = sys.argv[1] if len(sys.argv) > 1 else "worker"
    if role not in _ROLES or len(sys.argv) > 2:
        print(f"dropaudit-worker: say one of {', '.join(_ROLES)}", file=sys.stderr)
        return 2
    try:
        settings = WorkerSettings()
        # Its children would find out too late.
        require_tracing(settings.otlp_endpoint)
        with closing(connect(settings.redis_url)) as client:
            refuse_cluster(client)
    except ValidationError as error:
        print(f"dropaudit-worker: {problems(error)}", file=sys.stderr)
        return 2
    except AuditError as error:
        print(f"dropaudit-worker: {error.message}", file=sys.stderr)
        return 2
    level = settings.log_level
    # Celery warns of this and that before it sets up logging.
    configure_logs(level)
    # Celery leaves logging alone when somebody listens to this signal.
    setup_logging.connect(lambda **_: configure_logs(level), weak=False)
    if role == "beat":
        make_app(settings).Beat(loglevel=level, quiet=True).run()
        return 0
    gpus = 0 if settings.device == "cpu" else count_gpus()
    if settings.device == "gpu" and not gpus:
        print("dropaudit-worker: DROPAUDIT_DEVICE: no CUDA device answers; say cpu or auto", file=sys.stderr)
        return 2
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
