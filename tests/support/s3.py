"""A real S3 endpoint for tests: moto's server, over HTTP."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropaudit_client.local.service import free_port
from support.services import eventually, process


@dataclass(frozen=True)
class Bucket:
    """A bucket, looked at without this project's code."""

    name: str
    endpoint: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process that uses it, as its operator would set it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def make(self) -> None:
        """Make the bucket."""
        self._system.mkdir(self.name)

    def keys(self) -> list[str]:
        """Return the names of all objects."""
        return [str(path) for path in self._system.find(self.name)]

    def unfinished(self) -> list[Any]:
        """Return the uploads in parts that were neither completed nor aborted."""
        return list(self._system.list_multipart_uploads(self.name))

    def put(self, key: str, content: bytes) -> str:
        """Store an object and return its URL."""
        self._system.pipe_file(f"{self.name}/{key}", content)
        return f"{self.url}/{key}"

    @property
    def _system(self) -> Any:
        # Imported here: every test imports this module, and few use a bucket.
        import s3fs

        return s3fs.S3FileSystem(use_listings_cache=False)


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run an S3 endpoint while inside; yields its address."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with process("s3", command, {}, folder / "s3.log") as started:
        eventually(lambda: _answers(endpoint), f"the S3 server does not start: {started.log}")
        yield endpoint


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(endpoint, timeout=5):
            return True
    except urllib.error.URLError:
        return False
