"""The rights of containers, the way out of them, and secrets that must not show."""

from __future__ import annotations

import json

from compose_test.engine import IMAGES, VERSION, Deployment, docker, saved, service_of
from compose_test.reporting import require, say

_PASSWORDS = {
    "redis": ("/run/secrets/admin",),
    "server": ("/run/redis/password",),
    "worker": ("/run/redis/password",),
    "beat": ("/run/redis/password",),
}
# None of these is a command that a worker needs.
_REFUSED = ("CONFIG SET dir /tmp", "ACL LIST", "SHUTDOWN", "FLUSHALL", "MODULE LIST", "REPLICAOF NO ONE", "GET other")
_ASK_REDIS = """
import os, sys, redis
password = open(os.environ["DROPAUDIT_REDIS_PASSWORD_FILE"]).read().strip()
for given in (password, None):
    client = redis.Redis.from_url(os.environ["DROPAUDIT_REDIS_URL"].replace("worker@", ""), password=given,
                                  username="worker" if given else None)
    for command in sys.argv[1:]:
        try:
            print(client.execute_command(*command.split()), "WAS ANSWERED")
        except redis.exceptions.RedisError as error:
            print(type(error).__name__)
"""


def check_processes(deployment: Deployment) -> None:
    """Require that nobody is root, has capabilities, may get new ones, or writes to a root file system."""
    for each in deployment.inspected():
        name, host = service_of(each), each["HostConfig"]
        require(host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], f"{name}: {host}")
        require(host["Memory"] and host["NanoCpus"] and host["PidsLimit"], f"{name} has not all limits")
        require(
            each["Config"]["User"].split(":")[0] not in ("", "0", "root"), f"{name} runs as {each['Config']['User']}"
        )
        if each["State"]["Running"]:
            _check_running(name, each["Id"])
    say(
        "no process runs as root, roots are read-only, there are no capabilities; memory, CPU and processes have limits"
    )


def _check_running(name: str, container: str) -> None:
    users = {line.split()[0] for line in docker("top", container, "-eo", "uid,pid").splitlines()[1:]}
    require(users and not users & {"0", "root"}, f"{name} runs as {users}")
    written = docker("exec", container, "touch", "/probe", check=False)
    require("Read-only file system" in written, f"{name}: {written}")
    status = docker("exec", container, "cat", "/proc/1/status")
    facts = dict(line.split(":", 1) for line in status.splitlines())
    require(int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0, f"{name} has capabilities")
    require(facts["NoNewPrivs"].strip() == "1", f"{name} may get new privileges")


def check_reach(deployment: Deployment) -> None:
    """Require that only gRPC and the dashboard are published, on loopback, and that workers have no way out."""
    published = sorted(
        f"{each['HostIp']}:{each['HostPort']}"
        for container in deployment.inspected()
        for bindings in (container["NetworkSettings"]["Ports"] or {}).values()
        for each in bindings or ()
    )
    expected = sorted(f"127.0.0.1:{port}" for port in (deployment.port, deployment.web_port))
    require(published == expected, f"published: {published}")
    program = "import socket; socket.create_connection(('1.1.1.1', 53), timeout=3)"
    for service in ("worker", "beat"):
        said = deployment.run_inside(service, "python", "-c", program)
        require("unreachable" in said or "timed out" in said, f"{service} has a way out: {said}")
    say("only gRPC and the dashboard are published, on loopback; worker and beat have no way out")


def check_redis(deployment: Deployment) -> None:
    """Require that nobody but Redis sees its files, and that a worker's user may not do what it does not need."""
    for each in deployment.inspected():
        mounted = {mount.get("Name", "").partition("_")[2] for mount in each["Mounts"]}
        require("redis" not in mounted or service_of(each) == "redis", f"{service_of(each)} mounts Redis's files")
        allowed = {"redis", "redis-users"}
        require("redis-secrets" not in mounted or service_of(each) in allowed, f"{service_of(each)} sees Redis's users")
    for service in ("server", "worker", "beat"):
        said = deployment.run_inside(service, "find", "/", "-name", "*.aof*", "-not", "-path", "/proc/*")
        require(".aof" not in said.replace("find: ", ""), f"{service} finds {said}")
    answers = deployment.run_inside("worker", "python", "-c", _ASK_REDIS, *_REFUSED).split()
    expected = {"NoPermissionError", "AuthenticationError", "ResponseError"}
    require(len(answers) == 2 * len(_REFUSED) and set(answers) <= expected, f"Redis answered {answers}")
    say(f"only Redis sees its files; a worker, and nobody at all, is refused {', '.join(_REFUSED)}")


def check_secrets(deployment: Deployment) -> None:
    """Require that no password stands in an image, in what the engine tells, or in a log."""
    passwords = [
        deployment.run_inside(service, "cat", path).strip() for service, paths in _PASSWORDS.items() for path in paths
    ]
    require(len(set(passwords)) == 4 and all(len(each) == 64 for each in passwords), "passwords cannot be read")
    told = json.dumps(deployment.inspected())
    for container in deployment.containers(running=False):
        told += docker("logs", container, check=False)
    for image in IMAGES.values():
        told += docker("image", "inspect", f"{image}:{VERSION}")
        told += docker("history", "--no-trunc", f"{image}:{VERSION}")
        require(not _holds(f"{image}:{VERSION}", passwords), f"{image} holds a password")
    require(not any(each in told for each in passwords), "a password is told by inspect, history or a log")
    say("no password stands in an image's layers, in docker inspect, in docker history or in a log")


def _holds(image: str, secrets: list[str]) -> bool:
    searched, longest, rest = [each.encode() for each in secrets], max(map(len, secrets)), b""
    for chunk in saved(image):
        rest = rest[-longest:] + chunk
        if any(each in rest for each in searched):
            return True
    return False
