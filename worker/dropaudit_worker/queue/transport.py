"""Messages as they come out of Redis: whatever is not a task's message is dropped with a line in the log.

Celery trusts what lies in its queues: a word that is not JSON, a list in the place of a name, ends the worker.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import kombu.transport
import msgspec
import structlog
from kombu.transport import redis, virtual
from redis.exceptions import ConnectionError, TimeoutError

from dropaudit_store.errors import RecordTooNew
from dropaudit_store.shared.formats import FIRST, require_known

_SHOWN = 200

_log = structlog.get_logger(__name__)


_Seconds = Annotated[float, msgspec.Meta(ge=0)] | None


class _Headers(msgspec.Struct):
    id: str
    task: str
    eta: None = None
    expires: str | None = None
    retries: int = 0
    timelimit: tuple[_Seconds, _Seconds] = (None, None)
    root_id: str | None = None
    parent_id: str | None = None
    group: None = None
    stamped_headers: list[str] | None = None
    stamps: dict[str, Any] | None = None
    dropaudit_format: str = FIRST
    compression: None = None


class _Delivery(msgspec.Struct):
    exchange: str
    routing_key: str


class _Properties(msgspec.Struct):
    delivery_tag: str
    delivery_info: _Delivery
    body_encoding: str
    priority: int | None = None
    reply_to: str | None = None
    correlation_id: str | None = None


class _Envelope(msgspec.Struct, rename="kebab"):
    body: str
    headers: _Headers
    properties: _Properties
    content_type: str
    content_encoding: str


class _Embedded(msgspec.Struct):
    """Callbacks to run after a task: none, in this service."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


_BODY = msgspec.json.Decoder(tuple[list[str], dict[str, Any], _Embedded])


def check_message(message: Any) -> None:
    """Raise ValueError unless a message is one that this service sends, of this version or another.

    Raises:
        RecordTooNew: it is of a newer major version.
    """
    envelope = msgspec.convert(message, _Envelope)
    require_known(envelope.headers.dropaudit_format, f"the message {envelope.headers.id}")
    if envelope.content_type != "application/json" or envelope.content_encoding.lower() != "utf-8":
        raise ValueError(f"its content is {envelope.content_type!r}, {envelope.content_encoding!r}")
    if envelope.properties.body_encoding != "base64":
        raise ValueError(f"its body is encoded as {envelope.properties.body_encoding!r}")
    _BODY.decode(base64.b64decode(envelope.body, validate=True))


class _QoS(redis.QoS):
    """Counts of the messages that are taken and not yet done with.

    A message stays counted in kombu when Redis is gone at its acknowledgement. A worker that takes one message at a
    time then asks for no other, and so does not notice that its connection is lost: it would wait for good. Here it is
    done with; Redis delivers it once more after the visibility timeout, when its audit has long ended.
    """

    def ack(self, delivery_tag: Any) -> None:
        try:
            super().ack(delivery_tag)
        except (ConnectionError, TimeoutError):
            virtual.QoS.ack(self, delivery_tag)
            raise


class _Lenient:
    """A channel that goes on after what is not JSON, and tells when it asks for a message.

    kombu makes a client for each command that it does not wait for; here they share one for as long as their pool is
    the same, since making one takes longer than its command.
    """

    asks: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    _own_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        make = super()._create_client  # type: ignore[misc]  # the channel's, beside which this stands
        if asynchronous:
            return make(asynchronous=True)
        if self._own_client is None or self._own_client.connection_pool is not self.pool:  # type: ignore[attr-defined]
            self._own_client = make()
        return self._own_client

    def _brpop_start(self, timeout: float | None = None) -> None:
        super()._brpop_start(timeout)  # type: ignore[misc]  # the channel's, beside which this stands
        type(self).asks()

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # the channel's, beside which this stands
        except (ValueError, RecursionError) as error:
            _dropped(error)
            return True


class _Checked:
    """A transport that delivers messages of tasks, and drops everything else."""

    def _deliver(self, message: Any, queue: Any) -> None:
        try:
            check_message(message)
        except (ValueError, RecursionError) as error:
            _dropped(error)
            return
        except RecordTooNew as error:
            # What it is about waits, and is announced again until a worker of that version hears of it.
            _log.warning("a message is left to workers of a newer version", why=error.message)
            return
        super()._deliver(message, queue)  # type: ignore[misc]  # the transport's, beside which this stands


class Channel(_Lenient, redis.Channel):
    """A channel of one Redis."""

    QoS = _QoS


class SentinelChannel(_Lenient, redis.SentinelChannel):
    """A channel of whichever Redis the Sentinels name."""

    QoS = _QoS


class Transport(_Checked, redis.Transport):
    """Messages in one Redis."""

    Channel = Channel


class SentinelTransport(_Checked, redis.SentinelTransport):
    """Messages in whichever Redis the Sentinels name."""

    Channel = SentinelChannel


def use() -> None:
    """Have every connection to Redis of this process deliver messages so."""
    plain, behind = (f"{each.__module__}:{each.__qualname__}" for each in (Transport, SentinelTransport))
    kombu.transport.TRANSPORT_ALIASES.update(redis=plain, rediss=plain, sentinel=behind)


def tell(asks: Callable[[], None]) -> None:
    """Have a callable called whenever this process asks Redis for a message."""
    _Lenient.asks = staticmethod(asks)


def _dropped(error: Exception) -> None:
    _log.warning("a malformed message was dropped", error=f"{type(error).__name__}: {error}"[:_SHOWN])
