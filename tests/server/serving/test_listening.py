"""Claims about where the server listens, and about TLS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from dropaudit_client.local.service import free_port
from dropaudit_server.probe import answers_tls, health
from dropaudit_server.serving.addresses import is_loopback
from support.calls import METHODS, call_method, refusal_of
from support.certificates import Certificates, issue
from support.services import environment, server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


def channel(address: str, roots: Path, certificate: Path | None = None, key: Path | None = None) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(
        roots.read_bytes(), key.read_bytes() if key else None, certificate.read_bytes() if certificate else None
    )
    return grpc.secure_channel(address.replace("127.0.0.1", "localhost"), credentials)


def serves(channel: grpc.Channel) -> bool:
    with channel:
        return call_method(channel, METHODS["ListModels"]) == [b""]


def speaks_tls(address: str) -> bool:
    return answers_tls(address, 1.0)


@pytest.fixture(scope="module")
def secure(shared_redis: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with TLS."""
    settings = {"tls_certificate": certificates.server, "tls_key": certificates.server_key}
    with server(shared_redis, tmp_path_factory.mktemp("secure"), ready=speaks_tls, **settings) as address:
        yield address


@pytest.fixture(scope="module")
def mutual(shared_redis: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that asks clients for certificates."""
    settings = {
        "tls_certificate": certificates.server,
        "tls_key": certificates.server_key,
        "tls_client_ca": certificates.authority,
    }
    with server(shared_redis, tmp_path_factory.mktemp("mutual"), ready=speaks_tls, **settings) as address:
        yield address


def test_tls_serves_who_trusts_its_authority(secure: str, certificates: Certificates) -> None:
    assert serves(channel(secure, certificates.authority))
    assert refusal_of(lambda: serves(channel(secure, certificates.stranger))).code == "UNAVAILABLE"


@pytest.mark.parametrize("name", METHODS)
def test_plain_text_to_a_tls_port_is_refused_in_every_call(secure: str, name: str) -> None:
    with grpc.insecure_channel(secure) as plain:
        assert refusal_of(lambda: call_method(plain, METHODS[name])).code == "UNAVAILABLE"


@pytest.mark.parametrize("name", METHODS)
def test_mutual_tls_refuses_every_call_of_who_has_no_certificate_or_a_stranger_s(
    mutual: str, certificates: Certificates, name: str
) -> None:
    for own in ((None, None), (certificates.stranger, certificates.stranger_key)):
        with channel(mutual, certificates.authority, *own) as opened:
            assert refusal_of(lambda: call_method(opened, METHODS[name])).code == "UNAVAILABLE"


def test_mutual_tls_serves_who_is_certified(mutual: str, certificates: Certificates) -> None:
    assert serves(channel(mutual, certificates.authority, certificates.client, certificates.client_key))


def test_the_probe_of_the_image_finds_a_tls_server(
    secure: str, shared_redis: str, certificates: Certificates, tmp_path: Path
) -> None:
    settings = {"listen": secure, "tls_certificate": certificates.server, "tls_key": certificates.server_key}
    command = [sys.executable, "-m", "dropaudit_server.probe"]
    environ = environment(shared_redis, tmp_path, **settings)
    assert subprocess.run(command, env=environ, timeout=30, check=False).returncode == 0
    environ["DROPAUDIT_LISTEN"] = f"127.0.0.1:{free_port()}"
    assert subprocess.run(command, env=environ, timeout=30, check=False).returncode == 1


def start(redis_url: str, folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dropaudit_server"]
    environ = environment(redis_url, folder, **settings)
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_without_credentials_only_loopback_is_listened_on(host: str, redis_url: str, tmp_path: Path) -> None:
    address = f"{host}:{free_port()}"
    ended = start(redis_url, tmp_path, listen=address)
    assert ended.returncode == 2
    (sentence,) = (line for line in ended.stderr.splitlines() if not line.startswith("{"))
    assert sentence == (
        f"dropaudit-server: DROPAUDIT_ALLOW_ANONYMOUS: refusing to listen on {address} without credentials: set "
        "DROPAUDIT_TOKENS_FILE or DROPAUDIT_TLS_CLIENT_CA, listen on 127.0.0.1, or say DROPAUDIT_ALLOW_ANONYMOUS=true"
    )


def test_a_setting_lets_everybody_in_and_the_log_says_so(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = {"listen": f"0.0.0.0:{port}", "allow_anonymous": "true"}
    with server(redis_url, tmp_path, ready=lambda _: health(f"127.0.0.1:{port}"), **settings):
        assert "anyone who can reach this address may do everything" in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"tls_certificate": "/none.pem", "tls_key": "/none.key"}, "cannot read /none"),
        ({"tls_certificate": "/etc/hostname"}, "DROPAUDIT_TLS_CERTIFICATE needs DROPAUDIT_TLS_KEY"),
        ({"tokens_file": "/none.json"}, "DROPAUDIT_TOKENS_FILE /none.json cannot be used"),
        ({"tokens_file": "/etc/hostname"}, "cannot be used"),
    ],
)
def test_credentials_that_cannot_be_used_are_one_sentence(
    settings: dict[str, object], word: str, redis_url: str, tmp_path: Path
) -> None:
    ended = start(redis_url, tmp_path, listen=f"127.0.0.1:{free_port()}", **settings)
    assert ended.returncode == 2
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr


def test_health_and_reflection_are_served_as_the_settings_say(redis_url: str, tmp_path: Path) -> None:
    def answers(address: str) -> bool:
        with grpc.insecure_channel(address) as opened:
            try:
                return call_method(opened, METHODS["ListModels"]) == [b""]
            except grpc.RpcError:
                return False

    with server(redis_url, tmp_path, ready=answers, health="false", reflection="false") as address:
        assert health(address) is None
        with grpc.insecure_channel(address) as opened:
            call = opened.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", bytes, bytes)
            assert refusal_of(lambda: list(call(iter([b""])))).code == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/run/dropaudit", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.0.1:1", False),
        ("example.org:1", False),
        (":1", False),
    ],
)
def test_only_loopback_is_loopback(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
