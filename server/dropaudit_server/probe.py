"""Asks a server for its health; `python -m dropaudit_server.probe` exits 0 when the one on this machine serves."""

from __future__ import annotations

import socket
import ssl
import sys

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from pydantic_settings import BaseSettings, SettingsConfigDict

from dropaudit_server.settings import ServerSettings
from dropaudit_store.settings import PREFIX


def health(address: str, seconds: float = 1.0) -> str | None:
    """Return what the health service says, such as SERVING or NOT_SERVING; None when nobody answers in time."""
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            status = check(HealthCheckRequest(), timeout=seconds).status
        except grpc.RpcError:
            return None
    return HealthCheckResponse.ServingStatus.Name(status)


def answers_tls(address: str, seconds: float) -> bool:
    """Whether TLS is spoken there; only clients with certificates can ask the health service itself."""
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port)), timeout=seconds) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


class _Asked(BaseSettings):
    """Where the server is. No more is read: it goes on with the tokens that it has when their file is spoilt."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    listen: str = str(ServerSettings.model_fields["listen"].default)
    tls_certificate: str = ""


def main() -> int:
    """Ask the server on this machine; 0 when it serves. Behind TLS, when it answers."""
    settings = _Asked()
    address = f"127.0.0.1:{settings.listen.rpartition(':')[2]}"
    if settings.tls_certificate:
        return 0 if answers_tls(address, seconds=3.0) else 1
    return 0 if health(address, seconds=3.0) == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
