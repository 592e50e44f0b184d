"""The methods that every group of calls needs from its client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from dropaudit_client.retrying import RetryPolicy

if TYPE_CHECKING:
    from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceAsyncStub

T = TypeVar("T")


class AsyncCalls(ABC):
    """Makes calls from an event loop."""

    _stub: AuditServiceAsyncStub

    @abstractmethod
    async def _call(self, method: Callable[..., Awaitable[T]], request: object) -> T:
        """Return a call's answer. Raises ServiceError."""

    @abstractmethod
    def _pages(self, method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        """Yield every page of a list."""

    @abstractmethod
    def _stream(self, method: Callable[..., AsyncIterable[T]], request: object) -> AsyncIterator[T]:
        """Yield a stream's messages. Raises ServiceError."""

    @abstractmethod
    def _waiting(self) -> RetryPolicy:
        """Return how long a watch goes on while no server answers."""
