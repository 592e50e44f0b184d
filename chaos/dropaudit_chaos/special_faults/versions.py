"""A worker of another version of the code, as in a rolling upgrade."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dropaudit_chaos.parts import Service, pause

_PROJECT = Path(__file__).parents[3]
_REVISION = "HEAD~25"
# What a worker's processes are made of.
_ROOMS = ("worker", "store", "core")


def is_available() -> bool:
    """Whether another version can be had: from git, in a checkout that reaches back as far."""
    asked = ["git", "-C", str(_PROJECT), "cat-file", "-e", f"{_REVISION}:worker"]
    try:
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def other_version(service: Service, rng: random.Random) -> None:
    """Run a worker of another version for a while, beside one of this version."""
    with rng.choice(service.workers).otherwise(environ=_environ(service)):
        pause(rng)


@contextmanager
def all_of_another_version(service: Service) -> Iterator[None]:
    """Run every worker of another version while inside: its reports may say more or less."""
    with ExitStack() as stack:
        for worker in service.workers:
            stack.enter_context(worker.otherwise(environ=_environ(service)))
        yield


def _environ(service: Service) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, _unpacked(service.folder / "other-version")))}


def _unpacked(folder: Path) -> list[Path]:
    rooms = [folder / room for room in _ROOMS]
    if not folder.exists():
        asked = ["git", "-C", str(_PROJECT), "archive", _REVISION, *_ROOMS]
        archive = subprocess.run(asked, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as found:
            found.extractall(folder, filter="data")
    return rooms
