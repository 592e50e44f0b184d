"""Certificates and tokens from a folder of the operator's."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import trustme

from compose_test.engine import Deployment
from compose_test.reporting import eventually, require, say
from dropaudit_client import AuditClient, Security, ServiceError
from dropaudit_server.interceptors.tokens import Scope
from dropaudit_server.new_token import new_token

_INSIDE = "/run/certificates"
_START_SECONDS = 60.0


def check_tls(deployment: Deployment) -> None:
    """Give the server certificates and tokens, and require that nobody without them is answered."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder)
        secret = _write(given)
        settings = {
            "DROPAUDIT_CERTIFICATES": folder,
            "DROPAUDIT_TLS_CERTIFICATE": f"{_INSIDE}/tls.crt",
            "DROPAUDIT_TLS_KEY": f"{_INSIDE}/tls.key",
            "DROPAUDIT_TOKENS_FILE": f"{_INSIDE}/tokens.json",
            "DROPAUDIT_ALLOW_ANONYMOUS": "false",
        }
        deployment.compose("up", "-d", "--no-build", "--no-deps", "server", settings=settings)
        known = Security(token=secret, ca=given / "ca.crt")
        eventually(lambda: _answer(deployment, known) == "OK", "nobody answers over TLS", _START_SECONDS)
        require(_answer(deployment, Security(ca=given / "ca.crt")) == "UNAUTHENTICATED", "a caller without a token")
        require(_answer(deployment, Security()) == "UNAVAILABLE", "a caller without TLS is answered")
    say("with certificates and tokens from a folder the server speaks TLS, and answers nobody without a token")


def _write(folder: Path) -> str:
    """Write certificates and a token's entry where the container's user reads them; return the token."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    secret, token = new_token("compose-test", Scope.READ, None)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    issued.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    issued.private_key_pem.write_to_path(folder / "tls.key")
    (folder / "tokens.json").write_bytes(msgspec.json.encode({"tokens": [token]}))
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    return secret


def _answer(deployment: Deployment, security: Security) -> str:
    try:
        with AuditClient(deployment.address, security=security, timeout=5.0) as client:
            next(client.list_audits(), None)
    except ServiceError as error:
        return error.code
    return "OK"
