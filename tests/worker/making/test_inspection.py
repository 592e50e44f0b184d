"""Claims about looking at models."""

from __future__ import annotations

import pytest
import redis

from dropaudit.errors import InvalidModel
from dropaudit.report import Implementation, Placement, Site
from dropaudit_store.content.inspections import Inspections
from dropaudit_worker.making.inspection import Inspect, ModelInspector

MODEL = "a" * 64
SITE = Site(name="drop", path="", placement=Placement.OUTPUT, implementation=Implementation.DROPOUT_OP)


@pytest.fixture
def inspections(redis_client: redis.Redis) -> Inspections:
    return Inspections(redis_client)


def raising(error: Exception) -> Inspect:
    def inspect(_: str) -> tuple[Site, ...]:
        raise error

    return inspect


def test_the_sites_are_kept_and_found_once(inspections: Inspections) -> None:
    looked_at = []

    def inspect(sha256: str) -> tuple[Site, ...]:
        looked_at.append(sha256)
        return (SITE,)

    for _ in range(2):
        ModelInspector(inspections, inspect).look(MODEL)
    found = inspections.get(MODEL)
    assert found is not None
    assert [site["name"] for site in found.sites] == ["drop"]
    assert looked_at == [MODEL]


@pytest.mark.parametrize(
    ("error", "reason"), [(InvalidModel("It is no model."), "INVALID_MODEL"), (RuntimeError("secret"), "INTERNAL")]
)
def test_what_goes_wrong_is_kept_for_a_while_without_secrets(
    inspections: Inspections, redis_client: redis.Redis, error: Exception, reason: str
) -> None:
    ModelInspector(inspections, raising(error)).look(MODEL)
    found = inspections.get(MODEL)
    assert found is not None
    assert found.failure is not None
    assert found.failure.reason == reason
    assert "secret" not in found.failure.message
    assert 0 < int(str(redis_client.ttl(f"dropaudit:sites:{MODEL}"))) <= 10
