"""Settings that server and workers share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import fsspec
from fsspec.utils import get_protocol
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from dropaudit.errors import InvalidArgument
from dropaudit_store.errors import StoreError
from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.disk_reserve import Room
from dropaudit_store.redis.sentinels import has_sentinels, parse_sentinel_url, with_sentinel_password
from dropaudit_store.redis.urls import SCHEMES, with_password
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_store.shared.spans import require_tracing

PREFIX = "DROPAUDIT_"


def _redis_url(url: str, info: ValidationInfo) -> str:
    """Return the URL with the passwords of the files, as far as there are any."""
    if not url.startswith(SCHEMES):
        raise ValueError(f"must begin with {', '.join(SCHEMES)}")
    file, of_sentinels = info.data.get("redis_password_file"), info.data.get("sentinel_password_file")
    if of_sentinels:
        if not has_sentinels(url):
            raise ValueError("names no Sentinels, and DROPAUDIT_SENTINEL_PASSWORD_FILE is for them")
        url = with_sentinel_password(url, _secret(of_sentinels))
    url = with_password(url, _secret(file)) if file else url
    if has_sentinels(url):
        parse_sentinel_url(url)
    return url


def _connectable(url: str) -> str:
    """Refuse a URL of which no connection can be made, without asking whether anybody answers there."""
    try:
        connect(url).close()
    except ValueError:
        # Its words may hold a part of the password.
        sentence = "is not a URL of Redis: look at its port, and write @, : and / of a password as %40, %3A and %2F"
        raise ValueError(sentence) from None
    return url


def _secret(path: str) -> str:
    """Return what a file holds, without the end of its line."""
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}") from error
    if not secret:
        raise ValueError("is empty")
    return secret


def _secret_file(path: str) -> str:
    if path:
        _secret(path)
    return path


# A file that holds a secret, or empty.
SecretFile = Annotated[str, AfterValidator(_secret_file)]


def _blob_url(url: str) -> str:
    try:
        fsspec.get_filesystem_class(get_protocol(url))
    except (ValueError, ImportError) as error:
        raise ValueError(f"cannot be used: {error}") from error
    return url


def _prefixes(text: str) -> str:
    try:
        AllowedUris(split_prefixes(text))
    except StoreError as error:
        raise ValueError(error.message) from error
    return text


def _traceable(endpoint: str) -> str:
    try:
        require_tracing(endpoint)
    except InvalidArgument as error:
        raise ValueError(error.message) from error
    return endpoint


def split_prefixes(text: str) -> list[str]:
    """Return the prefixes of a comma-separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


class StoreSettings(BaseSettings):
    """Read once from the environment, prefix DROPAUDIT_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", allow_inf_nan=False)

    # Before the URL, whose validator reads it.
    redis_password_file: SecretFile = Field(
        default="", description="file with the password of the user that the URL of Redis names; empty: none"
    )
    sentinel_password_file: SecretFile = Field(
        default="", description="file with the password that the Sentinels of that URL ask for; empty: none"
    )
    redis_url: Annotated[str, AfterValidator(_redis_url), AfterValidator(_connectable)] = Field(
        default="redis://127.0.0.1:6379/0",
        validate_default=True,
        description="Redis that server and workers share: one, or redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DATABASE",
    )
    redis_replicas: int = Field(
        default=0, ge=0, description="replicas of Redis that must have what is written before it is answered"
    )
    blob_url: Annotated[str, AfterValidator(_blob_url)] = Field(
        default="file:///var/lib/dropaudit/blobs", description="where models and tensors lie; any fsspec URL"
    )
    model_prefixes: Annotated[str, AfterValidator(_prefixes)] = Field(
        default="",
        description="comma-separated URIs, such as file:///models,s3://bucket/models, below which audits may name "
        "models that were not uploaded; empty: none",
    )
    redis_folder: str = Field(
        default="",
        description="folder with Redis's append-only file, as seen from here, so that what is new is refused before "
        "its disk is full; empty: it cannot be seen",
    )
    redis_reserve_bytes: int = Field(
        default=64 << 20, ge=0, description="what stays free on that disk, for what was accepted before"
    )
    max_model_bytes: int = Field(default=4096 << 20, gt=0, description="largest model that is accepted")
    retention_days: float = Field(
        default=90.0, ge=0, description="how long a finished audit, and a run, is kept; 0 for good"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    heartbeat_file: str = Field(
        default="",
        description="file that is touched every few seconds for as long as this process does its work; empty: none",
    )
    otlp_endpoint: Annotated[str, AfterValidator(_traceable)] = Field(
        default="", description="URL that takes OpenTelemetry traces over gRPC; empty: none"
    )

    @property
    def room(self) -> Room:
        """The free space that the disk under Redis must have for anything new."""
        return Room(self.redis_folder, self.redis_reserve_bytes)

    @property
    def allowed_uris(self) -> AllowedUris:
        """The URIs that `model_prefixes` allow."""
        return AllowedUris(split_prefixes(self.model_prefixes))

    @property
    def retention_seconds(self) -> float:
        """How long a finished audit, and a run, is kept; 0 for good."""
        return self.retention_days * 86_400


def problems(error: ValidationError) -> list[str]:
    """Say what is wrong with settings, a sentence for each. Values are left out: a URL may hold a password."""
    return [_problem(str(each["loc"][0]), each["msg"].removeprefix("Value error, ")) for each in error.errors()]


def _problem(field: str, message: str) -> str:
    name = f"{PREFIX}{field.upper()}"
    return message if message.startswith(name) else f"{name}: {message}"
