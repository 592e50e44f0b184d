"""Claims about a Redis that fails over behind one name: who learns that it is a replica looks the name up again."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from dropaudit_chaos.proxy import Proxy
from dropaudit_store.errors import StoreUnavailable, redis_errors
from dropaudit_store.redis.connection import connect
from support.services import redis_server


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


def test_a_write_to_a_master_that_became_a_replica_goes_to_whom_the_name_leads_to_now(tmp_path: Path) -> None:
    with redis_server(tmp_path / "first") as first, redis_server(tmp_path / "second") as second:
        name = Proxy(port_of(first))
        try:
            with connect(f"redis://{name.address}/0") as client, redis.Redis(port=port_of(first)) as operator:
                client.set("dropaudit:a", "1")
                operator.replicaof("127.0.0.1", str(port_of(second)))
                with pytest.raises(StoreUnavailable, match="takes no writes"), redis_errors():
                    client.set("dropaudit:a", "2")
                name.lead_to(port_of(second))
                client.set("dropaudit:a", "3")
            with connect(second) as other:
                assert other.get("dropaudit:a") == "3"
        finally:
            name.close()
