"""A client of Redis whose writes are answered only once replicas have them.

Redis answers before its replicas have heard of a write: when the master is lost a moment later, the replica that takes
its place knows nothing of it. WAIT, on the connection that wrote, says how many replicas have it.
"""

from __future__ import annotations

from typing import Any, cast

import redis
from redis.client import Pipeline

from dropaudit_store.errors import NotReplicated

_PREFIX = "dropaudit:"
# Less than an answer of Redis may take.
_WAIT_MILLISECONDS = 3000
# Whatever is not named here may write.
_READS = (
    "CONFIG EXISTS GET HEXISTS HGET HGETALL HKEYS HLEN HMGET HSTRLEN HVALS INFO LINDEX LLEN LRANGE MGET PING PTTL SCAN "
    "SCARD SCRIPT SISMEMBER SMEMBERS SSCAN STRLEN TIME TTL TYPE XINFO XLEN XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZRANGE "
    "ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZSCAN ZSCORE"
)
_READ_NAMES = frozenset(_READS.split())


class ReplicatedRedis(redis.Redis):
    """A client that raises NotReplicated where a write has reached fewer replicas than it should.

    Such a write is made, and may be lost: a retry, as for everything here, finds it made or makes it.
    """

    def __init__(self, pool: redis.ConnectionPool, replicas: int, wait_milliseconds: int = _WAIT_MILLISECONDS) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self.replicas = replicas
        self.wait_milliseconds = wait_milliseconds

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command; one that may write together with WAIT, in one exchange."""
        if not writes(args):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's own
        with super().pipeline(transaction=False) as pipe:
            pipe.execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's own
            return self._reached(pipe)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> _ReplicatedPipeline:
        """Return a pipeline that ends with WAIT."""
        return _ReplicatedPipeline(self, transaction)

    def confirm(self) -> None:
        """Require that the replicas have everything that was written up to now, by whichever connection.

        They hear of all writes in one order: who has the last of them has those before.
        """
        with super().pipeline(transaction=False) as pipe:
            pipe.set(f"{_PREFIX}replicated", "1")
            self._reached(pipe)

    def _reached(self, pipe: Pipeline) -> Any:
        pipe.wait(self.replicas, self.wait_milliseconds)
        answer, reached = pipe.execute()
        if reached < self.replicas:
            raise NotReplicated(self.replicas, int(reached))
        return answer


class _ReplicatedPipeline(Pipeline):
    def __init__(self, client: ReplicatedRedis, transaction: bool) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, None)
        self._client = client

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Execute what was gathered. In a transaction WAIT would not wait: it follows by itself."""
        may_write = any(writes(cast(tuple[Any, ...], each[0])) for each in self.command_stack)
        answers: list[Any] = super().execute(raise_on_error)
        if may_write:
            self._client.confirm()
        return answers


def writes(command: tuple[Any, ...]) -> bool:
    """Whether a command may write."""
    return str(command[0]).split()[0].upper() not in _READ_NAMES
