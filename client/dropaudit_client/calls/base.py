"""The methods that every group of calls needs from its client."""
# Generated from calls/aio/base.py by `make sync-client`: change it there.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from dropaudit_client.retrying import RetryPolicy

if TYPE_CHECKING:
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

    @abstractmethod
    def _stream(self, method: Callable[..., Iterable[T]], request: object) -> Iterator[T]:
        """Yield a stream's messages. Raises ServiceError."""

    @abstractmethod
    def _waiting(self) -> RetryPolicy:
        """Return how long a watch goes on while no server answers."""
