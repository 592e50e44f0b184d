"""What every group of methods needs of its client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub

T = TypeVar("T")


class SyncCalls(ABC):
    """Makes calls, one after the other."""

    _stub: AuditServiceStub

    @abstractmethod
    def _call(self, method: Callable[..., T], request: object) -> T:
        """Return a call's answer. Raises ServiceError."""

    @abstractmethod
    def _pages(self, method: Callable[..., Any], request: Any) -> Iterator[Any]:
        """Yield every page of a list."""


class AsyncCalls(ABC):
    """Makes calls from an event loop."""

    _stub: Any

    @abstractmethod
    async def _call(self, method: Callable[..., Awaitable[T]], request: object) -> T:
        """Return a call's answer. Raises ServiceError."""

    @abstractmethod
    def _pages(self, method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        """Yield every page of a list."""
