"""`python -m compose_test`: builds, runs, uses, breaks and measures the deployment; stops and removes it at the end."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from compose_test import confinement, costs, faults, flow, tls
from compose_test.engine import TAGS, VERSION, Deployment, docker
from compose_test.reporting import say
from dropaudit_client.local.service import free_port, running

# Redis, server, dashboard, worker and beat.
_CONTAINERS = 5


def check(deployment: Deployment) -> None:
    """Do everything. Raises AssertionError when something is not as it is known to be."""
    deployment.compose("build", "--quiet")
    costs.check_sizes()
    costs.check_rebuild()
    began = time.monotonic()
    deployment.compose("up", "-d", "--no-build")
    flow.await_service(deployment.address)
    say(f"it answers {time.monotonic() - began:.0f} s after `up`")
    deployment.await_health(_CONTAINERS)
    say(f"all {_CONTAINERS} containers are healthy {time.monotonic() - began:.0f} s after `up`")
    costs.check_idle(deployment)
    with tempfile.TemporaryDirectory() as models:
        flow.use_everything(deployment.address, deployment.web_address, Path(models))
    faults.scale_and_kill(deployment)
    faults.restart_redis(deployment)
    faults.stop_and_start(deployment)
    confinement.check_processes(deployment)
    confinement.check_reach(deployment)
    confinement.check_redis(deployment)
    confinement.check_secrets(deployment)
    tls.check_tls(deployment)


def check_local() -> None:
    """Use `dropaudit up` as the deployment is used: both are the same service."""
    say("the same flow with `dropaudit up`:")
    with tempfile.TemporaryDirectory() as folder, running(os.environ, Path(folder, "data"), web=True) as service:
        flow.use_everything(service.address, service.web_address, Path(folder))


def main() -> int:
    """Check everything, and leave nothing behind."""
    deployment = Deployment(free_port(), free_port())
    try:
        check(deployment)
    except BaseException:
        deployment.compose("ps")
        deployment.compose("logs", "--tail", "50")
        raise
    finally:
        deployment.compose("down", "--volumes", "--timeout", "20")
        for image in TAGS:
            docker("image", "rm", f"{image}:{VERSION}", f"{image}:{VERSION}-edited", check=False)
    check_local()
    say("everything holds; everything is stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
