"""`python -m dropaudit_worker [worker|beat]`: reads the settings and runs until SIGTERM or SIGINT."""

from __future__ import annotations

import os
import sys

from celery.signals import setup_logging
from pydantic import ValidationError

from dropaudit_store.logs import configure_logs
from dropaudit_store.settings import problems
from dropaudit_store.tasks import QUEUE
from dropaudit_worker.app import make_app
from dropaudit_worker.settings import WorkerSettings

_ROLES = ("worker", "beat")


def main() -> int:
    """Run; 2 when the arguments or settings are no good."""
    role = sys.argv[1] if len(sys.argv) > 1 else "worker"
    if role not in _ROLES or len(sys.argv) > 2:
        print(f"dropaudit-worker: say one of {', '.join(_ROLES)}", file=sys.stderr)
        return 2
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        print(f"dropaudit-worker: {problems(error)}", file=sys.stderr)
        return 2
    level = settings.log_level
    # Celery leaves logging alone when somebody listens to this signal.
    setup_logging.connect(lambda **_: configure_logs(level), weak=False)
    app = make_app(settings)
    if role == "beat":
        app.Beat(loglevel=level, quiet=True).run()
        return 0
    app.worker_main(
        [
            *("--quiet", "worker", "--pool=prefork", f"--concurrency={settings.concurrency}", f"--queues={QUEUE}"),
            *("--without-gossip", "--without-mingle", f"--loglevel={level}"),
            f"--hostname=dropaudit-{os.getpid()}@%h",
        ]
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
