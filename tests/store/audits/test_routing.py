"""Claims about which queue an audit waits in."""

from __future__ import annotations

import redis

from dropaudit.plan import Plan, Provider
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.routing import Route, Routes
from dropaudit_store.records import ArtifactRef, AuditRequest, Priority, Spec
from dropaudit_store.shared.task_names import GPU_QUEUE, QUEUE


def test_what_needs_a_gpu_waits_for_one_that_is_known_and_the_rest_for_anybody(redis_client: redis.Redis) -> None:
    routes = Routes(redis_client)
    assert {routes.queue_for(provider) for provider in Provider} == {QUEUE}
    routes.note_gpu()
    found = {provider: routes.queue_for(provider) for provider in Provider}
    assert found == {Provider.AUTO: QUEUE, Provider.CPU: QUEUE, Provider.CUDA: GPU_QUEUE}


def test_the_route_of_an_audit_is_what_it_asked_for(store: AuditStore, redis_client: redis.Redis) -> None:
    routes = Routes(redis_client)
    routes.note_gpu()
    spec = Spec(subject=ArtifactRef(model="a" * 64), plan=Plan(provider=Provider.CUDA))
    audit_id = store.create(AuditRequest(spec=spec, priority=Priority.BATCH)).id
    assert routes.of(audit_id) == Route(GPU_QUEUE, Priority.BATCH)
    assert routes.of("gone") == Route(QUEUE, Priority.INTERACTIVE)
