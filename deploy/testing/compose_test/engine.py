"""The engine that `docker` reaches, and the project that is tested on it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from compose_test.reporting import eventually

ROOT = Path(__file__).parents[3]
PROJECT = "dropaudit-test"
VERSION = "compose-test"
IMAGES = {"server": "dropaudit-server", "worker": "dropaudit-worker", "redis": "dropaudit-redis"}
BASES = {"server": "python:3.11-slim-bookworm", "worker": "python:3.11-slim-bookworm", "redis": "redis:7-bookworm"}
# Built alike.
TAGS = (*IMAGES.values(), "dropaudit-redis-users", "dropaudit-dashboard", "dropaudit-beat")
_HEALTHY_SECONDS = 120.0


def docker(*arguments: str, check: bool = True) -> str:
    """Run docker; return what it printed, errors too where it may fail."""
    ended = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if check and ended.returncode:
        raise AssertionError(f"docker {' '.join(arguments)}: {ended.stderr.strip()}")
    return ended.stdout if check else ended.stdout + ended.stderr


@dataclass(frozen=True)
class Deployment:
    """The project with its own name, version and ports, beside whatever else runs on the engine."""

    port: int
    web_port: int

    @property
    def address(self) -> str:
        """Where gRPC is published."""
        return f"127.0.0.1:{self.port}"

    @property
    def web_address(self) -> str:
        """Where the dashboard is published."""
        return f"127.0.0.1:{self.web_port}"

    @cached_property
    def _command(self) -> Sequence[str]:
        has_plugin = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode == 0
        return ["docker", "compose"] if has_plugin else ["docker-compose"]

    def compose(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        """Run docker compose on the project's file, with settings as they may stand in .env."""
        environ = {
            **os.environ,
            **(settings or {}),
            "DROPAUDIT_PORT": str(self.port),
            "DROPAUDIT_WEB_PORT": str(self.web_port),
            "DROPAUDIT_VERSION": VERSION,
        }
        # The defaults, and no .env of whoever runs it.
        command = [*self._command, "--env-file", ".env.example", "-p", PROJECT, "--profile", "web", *arguments]
        subprocess.run(command, cwd=ROOT, env=environ, check=True)

    def containers(self, service: str = "", *, running: bool = True) -> list[str]:
        """Return the ids of the project's containers, or of a service's."""
        labels = [f"label=com.docker.compose.project={PROJECT}"]
        labels += [f"label=com.docker.compose.service={service}"] if service else []
        filters = [word for label in labels for word in ("--filter", label)]
        return docker("ps", "-q", *([] if running else ["-a"]), *filters).split()

    def container(self, service: str) -> str:
        """Return the id of a service's only container."""
        (found,) = self.containers(service)
        return found

    def inspected(self) -> list[dict[str, Any]]:
        """Return what the engine tells of every container, those that ended too."""
        found: list[dict[str, Any]] = json.loads(docker("inspect", *self.containers(running=False)))
        return found

    def await_health(self, number: int) -> None:
        """Wait until so many containers run and all of them are healthy."""

        def are_healthy() -> bool:
            running = [each["State"] for each in self.inspected() if each["State"]["Running"]]
            return len(running) == number and all(each["Health"]["Status"] == "healthy" for each in running)

        eventually(are_healthy, f"there are not {number} healthy containers", _HEALTHY_SECONDS)

    def run_inside(self, service: str, *command: str) -> str:
        """Run a command in a service's container; return what it printed, errors too."""
        return docker("exec", self.containers(service)[0], *command, check=False)


def service_of(container: dict[str, Any]) -> str:
    """Return the service of a container."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def saved(image: str) -> Iterator[bytes]:
    """Yield an image, all of its layers, in chunks."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as process:
        stream: IO[bytes] | None = process.stdout
        while stream is not None and (chunk := stream.read(1 << 22)):
            yield chunk
    if process.returncode:
        raise AssertionError(f"docker save {image} failed")
