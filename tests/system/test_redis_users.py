"""Claims about Redis's users in a deployment: each part does its work with its own rights, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from dropaudit.plan import Role
from dropaudit_client import AuditClient
from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.service import free_port
from dropaudit_client.resources import ArtifactRef, AuditState
from dropaudit_models import export
from dropaudit_models.seed_case import seed_case
from support.due import make_due
from support.services import environment, eventually, process, server, serving, worker

pytestmark = pytest.mark.system

USERS = Path(__file__).parents[2] / "deploy" / "redis" / "users.sh"
ROLES = ("server", "worker", "beat")
PROGRAMS = {
    "server": ("dropaudit_server",),
    "worker": ("dropaudit_worker", "worker"),
    "beat": ("dropaudit_worker", "beat"),
}


def make_users(folder: Path, given: Path) -> None:
    environ = {**os.environ, "SECRETS_FOLDER": str(given)}
    subprocess.run(["/bin/sh", USERS, folder], env=environ, check=True, timeout=30)


@dataclass(frozen=True)
class Deployment:
    """A Redis with the users of the deployment, and everything that calls it."""

    secrets: Path
    port: int
    address: str

    def connect(self, user: str) -> redis.Redis:
        """Return a client that is a user of Redis."""
        path = self.secrets / ("redis/admin" if user == "admin" else f"{user}/password")
        password = path.read_text().strip()
        return redis.Redis(port=self.port, username=user, password=password, decode_responses=True)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    secrets, port = folder / "secrets", free_port()
    make_users(secrets, folder / "none")
    command = [*redis_command(port, folder), "--aclfile", str(secrets / "redis" / "users.acl")]

    def settings(role: str) -> dict[str, object]:
        return {"redis_password_file": secrets / role / "password", "reconcile_seconds": 0.2}

    def url(role: str) -> str:
        return f"redis://{role}@127.0.0.1:{port}/0"

    with ExitStack() as stack:
        stack.enter_context(process("redis", command, {}, folder / "redis.log"))
        found = Deployment(secrets, port, f"127.0.0.1:{free_port()}")
        eventually(lambda: answers(found), "Redis does not start")
        stack.enter_context(server(url("server"), folder, ready=serving, listen=found.address, **settings("server")))
        for role in ("worker", "beat"):
            stack.enter_context(worker(url(role), folder, role, **settings(role)))
        yield found


def answers(deployment: Deployment) -> bool:
    try:
        return bool(deployment.connect("admin").ping())
    except redis.exceptions.ConnectionError:
        return False


def test_all_parts_do_their_work_with_the_rights_that_they_have(deployment: Deployment, tmp_path: Path) -> None:
    with AuditClient(deployment.address) as client:
        model = client.upload_model(export("lstm-dropout", tmp_path)).name
        first = client.create_audit(seed_case()).name
        eventually(lambda: client.get_audit(first).state.final, "no worker makes the audit; look at Redis's ACL LOG")
        assert client.get_audit(first).verdict == "PASS"
        assert client.inspect_model(model)
        suite = client.create_suite("yearly", [ArtifactRef(model, Role.TRAIN)], cron="0 0 1 1 *").name
        make_due(deployment.connect("admin"), "yearly")
        eventually(lambda: any(run.finished for run in client.list_runs(suite)), "the beat does not run the suite")
        (run,) = client.list_runs(suite)
        assert run.verdict == "PASS"
        long = client.create_audit(ArtifactRef(model, Role.TRAIN)).name
        client.cancel_audit(long)
        assert client.wait(long).state in (AuditState.CANCELLED, AuditState.SUCCEEDED)
        client.delete_suite(suite)
        for audit in list(client.list_audits()):
            client.delete_audit(audit.name)
        client.delete_model(model)
        assert list(client.list_models()) == []
    refused = [(each["username"], each["reason"], each["object"]) for each in deployment.connect("admin").acl_log()]
    assert refused == []


@pytest.mark.parametrize(("role", "program"), PROGRAMS.items())
def test_a_check_needs_no_other_rights(
    role: str, program: tuple[str, ...], deployment: Deployment, tmp_path: Path
) -> None:
    url = f"redis://{role}@127.0.0.1:{deployment.port}"
    environ = environment(url, tmp_path, redis_password_file=deployment.secrets / role / "password")
    command = [sys.executable, "-m", *program, "--check"]
    ended = subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout


REFUSED = {
    "server": ("GET dropaudit:beat:lock", "RPOP dropaudit", "LRANGE dropaudit 0 -1", "GET unacked", "SUBSCRIBE x"),
    "worker": ("GET other", "SET unrelated 1", "SUBSCRIBE x"),
    "beat": ("HGETALL dropaudit:audit:a", "GET dropaudit:model:a", "RPOP dropaudit", "HSET dropaudit:audit:a state x"),
}
DANGEROUS = (
    "CONFIG SET dir /",
    "SAVE",
    "MODULE LIST",
    "REPLICAOF NO ONE",
    "FLUSHALL",
    "ACL LIST",
    "SHUTDOWN",
    "KEYS *",
)


@pytest.mark.parametrize(
    ("role", "command"), [(role, command) for role in ROLES for command in (*REFUSED[role], *DANGEROUS)]
)
def test_a_part_is_refused_what_it_does_not_need(role: str, command: str, deployment: Deployment) -> None:
    with deployment.connect(role) as client, pytest.raises(redis.exceptions.ResponseError) as caught:
        client.execute_command(*command.split())
    assert "permission" in str(caught.value) or "not allowed" in str(caught.value)
    deployment.connect("admin").acl_log_reset()


def test_without_a_password_nothing_is_answered(deployment: Deployment) -> None:
    with redis.Redis(port=deployment.port) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.get("dropaudit:totals")


def test_a_redis_that_starts_again_forgets_no_transaction(tmp_path: Path) -> None:
    make_users(tmp_path / "secrets", tmp_path / "none")
    port = free_port()
    again = Deployment(tmp_path / "secrets", port, "")
    command = [*redis_command(port, tmp_path), "--aclfile", str(tmp_path / "secrets" / "redis" / "users.acl")]
    for number in range(3):
        with process("redis", command, {}, tmp_path / "redis.log"):
            eventually(lambda: answers(again), "Redis does not start")
            with again.connect("server") as client:
                assert client.lrange("dropaudit:list", 0, -1) == [str(each) for each in range(number)]
                client.pipeline(transaction=True).rpush("dropaudit:list", number).execute()


def test_nobody_becomes_the_user_as_which_redis_reads_its_file(deployment: Deployment) -> None:
    for password in ("", "default", "admin"):
        with redis.Redis(port=deployment.port, username="default", password=password) as client:
            with pytest.raises(redis.exceptions.AuthenticationError):
                client.execute_command("AUTH", "default", password)
            with pytest.raises(redis.exceptions.AuthenticationError):
                client.get("dropaudit:totals")


def test_passwords_are_made_once_differ_and_are_their_part_s_alone(tmp_path: Path) -> None:
    own = [tmp_path / role / "password" for role in ROLES]
    paths = [*own, tmp_path / "redis" / "admin", tmp_path / "grafana" / "password"]
    make_users(tmp_path, tmp_path / "none")
    first = [path.read_text() for path in paths]
    make_users(tmp_path, tmp_path / "none")
    assert [path.read_text() for path in paths] == first
    assert len(set(first)) == 5
    assert all(len(password.strip()) == 64 for password in first)
    assert {path.stat().st_mode & 0o777 for path in own} == {0o600}
    # Redis and Grafana run as other users, in groups that may enter the folders.
    assert {path.stat().st_mode & 0o777 for path in paths if path not in own} == {0o640}
    assert {path.parent.stat().st_mode & 0o777 for path in paths} == {0o700}
    acl = (tmp_path / "redis" / "users.acl").read_text()
    assert not any(password.strip() in acl for password in first)


def test_a_docker_secret_is_taken_in_place_of_a_password_made_here(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "redis-worker").write_text("chosen by the operator\n")
    make_users(tmp_path / "made", given)
    assert (tmp_path / "made" / "worker" / "password").read_text() == "chosen by the operator\n"
