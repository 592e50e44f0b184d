"""Workers that come and go, a Redis that is started again, and a deployment that is stopped and started."""

from __future__ import annotations

import time

from compose_test.engine import Deployment, docker
from compose_test.flow import SUITE, audit_many, await_audits, await_service, content_of
from compose_test.reporting import require, say
from dropaudit.report import Verdict
from dropaudit_client import AuditClient

_MANY = 150
_WORKERS = 3


def scale_and_kill(deployment: Deployment) -> None:
    """Make audits with three workers, one of which is killed meanwhile."""
    others = len(deployment.containers()) - 1
    deployment.compose("up", "-d", "--no-build", "--scale", f"worker={_WORKERS}")
    deployment.await_health(others + _WORKERS)
    say(f"{_WORKERS} workers are healthy")
    with AuditClient(deployment.address) as client:
        names = audit_many(client, _healthy_model(client), _MANY, seed=1000)
        docker("kill", deployment.containers("worker")[0])
        await_audits(client, names, Verdict.PASS)
    require(len(deployment.containers("worker")) == _WORKERS - 1, "the worker was not killed")
    say(f"{_MANY} audits were made though a worker was killed among them")
    deployment.compose("up", "-d", "--no-build", "--scale", "worker=1")


def restart_redis(deployment: Deployment) -> None:
    """Start Redis again while audits wait."""
    with AuditClient(deployment.address) as client:
        names = audit_many(client, _healthy_model(client), _MANY, seed=2000)
        deployment.compose("restart", "redis")
        await_service(deployment.address)
        await_audits(client, names, Verdict.PASS)
    say(f"Redis was started again under {_MANY} audits, and all were made")


def stop_and_start(deployment: Deployment) -> None:
    """Take everything down and up: what there was is there."""
    with AuditClient(deployment.address) as client:
        client.pause_suite(SUITE)
        before = content_of(client)
    number = len(deployment.containers())
    began = time.monotonic()
    deployment.compose("down")
    seconds = time.monotonic() - began
    # Docker kills what is not gone within its grace period: 30 s for a worker.
    require(seconds < 30.0, f"it took {seconds:.0f} s to stop")
    require(deployment.containers(running=False) == [], "containers are left")
    deployment.compose("up", "-d", "--no-build")
    await_service(deployment.address)
    with AuditClient(deployment.address) as client:
        require(content_of(client) == before, "something is not as it was before")
        await_audits(client, audit_many(client, _healthy_model(client), 1, seed=3000), Verdict.PASS)
    deployment.await_health(number)
    say(f"down took {seconds:.0f} s; after up all {len(before)} records are there, and work goes on")


def _healthy_model(client: AuditClient) -> str:
    return next(model.name for model in client.list_models() if model.display_name == "lstm-dropout")
