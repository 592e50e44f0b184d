"""Who may call what."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.tokens import Scope, Token

SERVICE = "dropaudit.v1.AuditService"
SCOPES: Mapping[str, Scope] = {
    "UploadModel": Scope.WRITE,
    "GetModel": Scope.READ,
    "ListModels": Scope.READ,
    "DownloadModel": Scope.READ,
    "DeleteModel": Scope.ADMIN,
    "InspectModel": Scope.READ,
    "ListModelNames": Scope.READ,
    "GetModelName": Scope.READ,
    "DeleteModelName": Scope.ADMIN,
    "ListModelVersions": Scope.READ,
    "SetModelAlias": Scope.WRITE,
    "DeleteModelAlias": Scope.ADMIN,
    "GetModelHistory": Scope.READ,
    "CreateAudit": Scope.WRITE,
    "BatchCreateAudits": Scope.WRITE,
    "GetAudit": Scope.READ,
    "ListAudits": Scope.READ,
    "WatchAudit": Scope.READ,
    "CancelAudit": Scope.WRITE,
    "DeleteAudit": Scope.ADMIN,
    "CreateSuite": Scope.WRITE,
    "GetSuite": Scope.READ,
    "ListSuites": Scope.READ,
    "UpdateSuite": Scope.WRITE,
    "DeleteSuite": Scope.ADMIN,
    "PauseSuite": Scope.WRITE,
    "ResumeSuite": Scope.WRITE,
    "PreviewSuite": Scope.READ,
    "RunSuite": Scope.WRITE,
    "GetRun": Scope.READ,
    "ListRuns": Scope.READ,
    "WatchRun": Scope.READ,
    "CancelRun": Scope.WRITE,
    "CompareRuns": Scope.READ,
    "RenderReport": Scope.READ,
    "ListDeliveries": Scope.READ,
    "Redeliver": Scope.WRITE,
}
_HEALTH = "/grpc.health.v1.Health/"
_REFLECTION = "/grpc.reflection."


class Unauthenticated(AuditError):
    """A call comes without a token, or with an unknown one."""

    reason = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("send a valid token in the metadata `authorization: Bearer …`")


class TokenExpired(AuditError):
    """A call comes with a token whose time is over."""

    reason = "TOKEN_EXPIRED"

    def __init__(self, token: Token) -> None:
        super().__init__(f"the token {token.name} has expired; ask for a new one", token=token.name)


class PermissionDenied(AuditError):
    """A token does not cover a call."""

    reason = "PERMISSION_DENIED"

    def __init__(self, token: Token, needed: Scope) -> None:
        super().__init__(
            f"the token {token.name} has the scope {token.scope}; this call needs {needed}",
            token=token.name,
            scope=token.scope.value,
            needed=needed.value,
        )


class FindsTokens(Protocol):
    """Knows tokens."""

    def find(self, secret: str) -> Token | None: ...


class Access:
    """Lets calls pass by their tokens; without tokens, all of them.

    The health service needs none, since probes have none. What is not in the table needs the scope admin.
    """

    def __init__(self, tokens: FindsTokens | None, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock

    @property
    def asks(self) -> bool:
        """Whether callers need a token."""
        return self._tokens is not None

    def check(self, method: str, metadata: Mapping[str, str]) -> str:
        """Return the caller's name; empty without tokens. Raises Unauthenticated, TokenExpired, PermissionDenied."""
        if self._tokens is None or method.startswith(_HEALTH):
            return ""
        kind, _, secret = metadata.get("authorization", "").partition(" ")
        token = self._tokens.find(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise Unauthenticated
        if token.expires is not None and token.expires.timestamp() <= self._clock():
            raise TokenExpired(token)
        needed = scope_of(method)
        if not token.scope.allows(needed):
            raise PermissionDenied(token, needed)
        return token.name


def scope_of(method: str) -> Scope:
    """Return what a call needs, by its full name `/package.Service/Method`."""
    if method.startswith(_REFLECTION):
        return Scope.READ
    service, _, name = method.removeprefix("/").partition("/")
    return SCOPES.get(name, Scope.ADMIN) if service == SERVICE else Scope.ADMIN
