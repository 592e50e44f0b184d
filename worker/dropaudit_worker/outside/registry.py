"""Models of an MLflow registry, through MLflow's own client."""

from __future__ import annotations

import importlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import ContentTooLarge, UriUnreadable, redis_errors
from dropaudit_store.members.outside import Placed
from dropaudit_store.models import ModelStore
from dropaudit_store.redis.connection import key

_URI = re.compile(r"models:/(?P<name>[^/@\s]+)(?:/(?P<version>[0-9]+)|@(?P<alias>.+))?")
_KEPT_SECONDS = 90 * 86_400
_CHUNK_BYTES = 1 << 20


class Registry:
    """Fetches registered models, and stores their content as models of this service.

    Args:
        uri: of the tracking server; empty: there is none.
        blobs: keeps what it stores until something refers to it.
    """

    def __init__(self, uri: str, client: redis.Redis, models: ModelStore, blobs: BlobStore, max_bytes: int) -> None:
        self._uri = uri
        self._redis = client
        self._models = models
        self._blobs = blobs
        self._max_bytes = max_bytes

    def fetch(self, uri: str) -> Placed:
        """Return a registered model, its content stored. Raises UriUnreadable and ContentTooLarge."""
        with _failures(uri):
            found = self._version(uri)
            name, version = str(found.name), int(found.version)
            digest = self._stored(name, version, f"{found.creation_timestamp}", uri)
        return Placed(name, "", version, digest)

    def _version(self, uri: str) -> Any:
        parts = _URI.fullmatch(uri)
        if parts is None:
            raise UriUnreadable(f"{uri} is not models:/NAME/VERSION, models:/NAME@ALIAS or models:/NAME", uri=uri)
        client = self._client(uri)
        if parts["alias"]:
            return client.get_model_version_by_alias(parts["name"], parts["alias"])
        if parts["version"]:
            return client.get_model_version(parts["name"], parts["version"])
        quoted = parts["name"].replace("'", "\\'")
        newest = ["version_number DESC"]
        found = list(client.search_model_versions(f"name='{quoted}'", order_by=newest, max_results=1))
        if not found:
            raise UriUnreadable(f"the registry has no model {parts['name']!r}", uri=uri)
        return found[0]

    def _client(self, uri: str) -> Any:
        if not self._uri:
            raise UriUnreadable("no MLflow registry is configured: DROPAUDIT_MLFLOW_URI names none", uri=uri)
        try:
            # Imported here: it is an extra, and takes a while.
            tracking: Any = importlib.import_module("mlflow.tracking")
        except ImportError as error:
            raise UriUnreadable("the workers have no MLflow client; install the extra mlflow", uri=uri) from error
        # Downloads ask for the process's own addresses, whatever they are given; nobody else here uses them.
        tracking.set_tracking_uri(self._uri)
        tracking.set_registry_uri(self._uri)
        return tracking.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def _stored(self, name: str, version: int, created: str, uri: str) -> str:
        """Return the SHA-256 of a version's content, which is fetched once."""
        place = key("registered", self._uri, name, str(version), created)
        with redis_errors():
            known = str(self._redis.get(place) or "")
        if known and self._models.find([known]) and self._blobs.holds(known):
            return known
        with tempfile.TemporaryDirectory() as folder:
            digest = self._kept(_downloaded(self._uri, name, version, Path(folder), uri), name, uri)
        with redis_errors():
            self._redis.set(place, digest, ex=_KEPT_SECONDS)
        return digest

    def _kept(self, path: Path, name: str, uri: str) -> str:
        if path.stat().st_size > self._max_bytes:
            raise ContentTooLarge(f"{uri} is larger than {self._max_bytes} bytes", maxBytes=str(self._max_bytes))
        with self._blobs.writer(self._max_bytes) as writer, path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                writer.write(chunk)
            digest = writer.commit("", 0)
        self._models.add(digest, path.stat().st_size, name, "mlflow")
        return digest


def _downloaded(tracking_uri: str, name: str, version: int, folder: Path, uri: str) -> Path:
    """Return the ONNX file of a version, fetched into a folder. Raises UriUnreadable where there is not just one."""
    artifacts: Any = importlib.import_module("mlflow.artifacts")
    source = f"models:/{name}/{version}"
    places = {"tracking_uri": tracking_uri, "registry_uri": tracking_uri}
    fetched = Path(artifacts.download_artifacts(source, dst_path=str(folder), **places))
    found = sorted(fetched.rglob("*.onnx")) if fetched.is_dir() else [fetched]
    if len(found) != 1:
        raise UriUnreadable(f"{uri} has {len(found)} files that end with .onnx, not one", uri=uri)
    return found[0]


@contextmanager
def _failures(uri: str) -> Iterator[None]:
    """Turn what MLflow's client raises into UriUnreadable."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("mlflow", "requests")):
            raise
        raise UriUnreadable(f"{uri} cannot be fetched from the registry: {error}", uri=uri) from error
