"""Settings of the server."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from dropaudit_server.interceptors.caller_limits import CallLimits
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.setting_checks import (
    certifies,
    fits_certificate,
    lets_nobody_in_unasked,
    listens,
    lists_tokens,
    serves_http,
    serves_pages,
)
from dropaudit_store.settings import SecretFile, StoreSettings

MEBIBYTE = 1 << 20
# gRPC takes no larger number.
_MOST_MESSAGE_BYTES = 2**31 - 1


class ServerSettings(StoreSettings):
    """Read once from the environment, prefix DROPAUDIT_."""

    listen: Annotated[str, AfterValidator(listens)] = Field(
        default="127.0.0.1:50051", description="host:port that the server listens on"
    )
    tls_certificate: str = Field(default="", description="PEM file with the certificate chain; with it, TLS only")
    # Each after those that it is compared with.
    tls_key: Annotated[str, AfterValidator(fits_certificate)] = Field(
        default="", description="PEM file with the certificate's key"
    )
    tls_client_ca: Annotated[str, AfterValidator(certifies)] = Field(
        default="", description="PEM file; only clients that it has certified may call"
    )
    tokens_file: Annotated[str, AfterValidator(lists_tokens)] = Field(
        default="", description="JSON file with bearer tokens; only their holders may call"
    )
    allow_anonymous: Annotated[bool, AfterValidator(lets_nobody_in_unasked)] = Field(
        default=False, description="listen beyond loopback though anybody may call"
    )
    health: bool = Field(default=True, description="serve grpc.health.v1.Health")
    reflection: bool = Field(default=True, description="serve reflection, for grpcurl and the like")
    max_message_bytes: int = Field(
        default=64 * MEBIBYTE,
        gt=0,
        le=_MOST_MESSAGE_BYTES,
        description="largest gRPC message, recorded tensors included",
    )
    max_received_bytes: int = Field(
        default=256 * MEBIBYTE,
        gt=0,
        description="bytes of messages of calls, and as many of uploads, that one caller may be sending at a time; "
        "without tokens all together",
    )
    max_batch: int = Field(default=1000, gt=0, description="audits of one BatchCreateAudits, and members of a suite")
    max_labels: int = Field(default=64, ge=0, description="labels of an audit or a suite")
    max_replicates: int = Field(default=10_000_000, ge=64, description="most replicates that an audit may ask for")
    max_tensors: int = Field(default=1000, gt=1, description="tensors of one audit: inputs, or recorded outputs")
    max_tensor_bytes: int = Field(default=1024 * MEBIBYTE, gt=0, description="bytes of an .npz archive, unpacked")
    max_queued: int = Field(default=100_000, ge=0, description="audits that may wait at a time; 0 for any number")
    max_calls: int = Field(default=1000, gt=0, description="calls that one caller may have under way")
    max_streams: int = Field(default=5000, gt=0, description="watches and other streams that one caller may have open")
    max_transfers: int = Field(default=32, gt=0, description="uploads and downloads that one caller may have under way")
    message_seconds: float = Field(
        default=120.0, gt=0, description="how long a call may take to send its message, or to take an answer"
    )
    upload_idle_seconds: float = Field(default=60.0, gt=0, description="how long an upload may be silent")
    max_inspections: int = Field(default=100, gt=0, description="models that may wait to be inspected at a time")
    inspect_seconds: float = Field(default=60.0, gt=0, description="how long InspectModel waits for a worker")
    health_seconds: float = Field(default=1.0, gt=0, description="how often the server looks whether Redis answers")
    metrics_listen: Annotated[str, AfterValidator(serves_http)] = Field(
        default="", description="host:port of Prometheus metrics; empty: none"
    )
    metrics_token_file: SecretFile = Field(
        default="", description="file with the bearer token that readers of metrics must send; empty: none"
    )
    web_listen: Annotated[str, AfterValidator(serves_pages)] = Field(
        default="", description="host:port of the dashboard for browsers; empty: none"
    )
    shutdown_seconds: float = Field(default=30.0, ge=0, description="how long calls under way may take at shutdown")

    @property
    def call_limits(self) -> CallLimits:
        """The limits of one caller's calls under way."""
        messages = max(1, self.max_received_bytes // self.max_message_bytes)
        return CallLimits(self.max_calls, self.max_streams, self.max_transfers, self.message_seconds, messages)

    @property
    def rules(self) -> Rules:
        """The operator's limits of requests."""
        return Rules(
            batch=self.max_batch,
            labels=self.max_labels,
            replicates=self.max_replicates,
            tensors=self.max_tensors,
            tensor_bytes=self.max_tensor_bytes,
            uris=self.allowed_uris,
        )
