"""Claims about finding audits: every condition against a plain walk over all of them, and how little is looked at."""

from __future__ import annotations

import itertools
import random

import pytest
import redis

from dropaudit.plan import Plan
from dropaudit_store.audits.conditions import EVERYTHING, And, Condition, Created, Has, Not, Or, cover, fulfils
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.audits.terms import finding_term, label_term, model_term, report_terms, request_terms, state_term
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditRequest, AuditState, Failure, Spec
from support.clock import Clock

MODELS = ("a" * 64, "b" * 64)


def request(model: str, team: str) -> AuditRequest:
    return AuditRequest(spec=Spec(subject=ArtifactRef(model=model), plan=Plan()), labels={"team": team})


@pytest.fixture
def listed(redis_client: redis.Redis, store: AuditStore) -> AuditList:
    return AuditList(redis_client, store)


@pytest.fixture
def made(store: AuditStore, clock: Clock) -> list[AuditRecord]:
    """300 audits in every state, three a second, oldest first."""
    chance = random.Random(1)
    ids = []
    for number in range(300):
        clock.now = 1000.0 + number // 3
        audit_id = store.create(request(chance.choice(MODELS), chance.choice("xyz"))).id
        ids.append(audit_id)
        end(store, audit_id, chance.randrange(5))
    return store.get_many(ids)


def end(store: AuditStore, audit_id: str, how: int) -> None:
    """Leave an audit queued, running, cancelled, failed or with a finding."""
    if how == 0:
        return
    lease = store.claim(audit_id, 30.0)
    assert lease is not None
    if how == 2:
        store.stopped(lease)
    if how == 3:
        store.fail(lease, Failure(reason="INTERNAL", message="m"))
    if how == 4:
        store.succeed(lease, {"verdict": "FAIL", "findings": [{"code": "DA301"}, {"code": "DA305"}]})


def every_page(listed: AuditList, query: Query, size: int) -> list[str]:
    found: list[str] = []
    while True:
        page, following = listed.page(query, size)
        assert len(page) <= size
        found += [record.id for record in page]
        if not following:
            return found
        query = Query(query.condition, query.descending, following)


FAILED = Has(state_term(AuditState.FAILED))
TEAM = Has(label_term("team", "x"))
CONDITIONS: dict[str, Condition] = {
    "everything": EVERYTHING,
    "a state": FAILED,
    "a model": Has(model_term(MODELS[0])),
    "a finding": Has(finding_term("DA305")),
    "no state": Not(FAILED),
    "both": And((FAILED, TEAM)),
    "either": Or((FAILED, TEAM)),
    "either, or not": Or((FAILED, Not(TEAM))),
    "neither": Not(Or((FAILED, TEAM))),
    "nothing": Has("state:NONE"),
    "before": Created("<", 1_030_000.0),
    "at most": Created("<=", 1_030_000.0),
    "after": Created(">", 1_030_000.0),
    "at least": Created(">=", 1_030_000.0),
    "at": Created("=", 1_030_000.0),
    "not at": Created("!=", 1_030_000.0),
    "between, and a state": And((Created(">=", 1_010_500.0), Created("<", 1_050_000.5), FAILED)),
    "before, or a state": Or((Created("<", 1_010_000.0), FAILED)),
}


def wanted(record: AuditRecord, condition: Condition) -> bool:
    terms = [state_term(record.state), *request_terms(record.request)]
    terms += report_terms(record.report) if record.report else []
    return fulfils(condition, frozenset(terms), record.create_time * 1000)


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize(("descending", "size"), [(True, 7), (False, 7), (True, 1000)])
def test_pages_hold_what_a_walk_over_all_finds_in_its_order(
    listed: AuditList, made: list[AuditRecord], name: str, descending: bool, size: int
) -> None:
    condition = CONDITIONS[name]
    expected = [record.id for record in made if wanted(record, condition)]
    assert every_page(listed, Query(condition, descending), size) == (expected[::-1] if descending else expected)


def test_what_is_made_or_deleted_meanwhile_moves_nothing(listed: AuditList, store: AuditStore, clock: Clock) -> None:
    clock.now = 1000.0
    ids = [record.id for record in store.create_many([AuditToCreate(request(MODELS[0], "x"))] * 6)]
    first, following = listed.page(Query(), 2)
    clock.now = 2000.0
    store.create(request(MODELS[0], "x"))
    store.cancel(ids[4])
    store.delete(ids[4])
    rest = every_page(listed, Query(after=following), 2)
    assert [record.id for record in first] + rest == ids[::-1]


def test_the_smallest_indexes_that_cover_a_condition_are_read() -> None:
    sizes = {"big": 1000, "small": 1, "other": 2}
    big, small, other = map(Has, ("big", "small", "other"))
    covers: list[tuple[Condition, set[str] | None]] = [
        (And((big, small)), {"small"}),
        (Or((small, other)), {"small", "other"}),
        (And((big, Or((small, other)))), {"small", "other"}),
        (Or((small, Not(other))), None),
        (And((Not(small), big)), {"big"}),
        (Created("<", 1.0), None),
    ]
    for condition, expected in covers:
        assert cover(condition, sizes.__getitem__) == expected


def test_a_page_that_few_audits_fulfil_ends_early_and_the_next_goes_on(
    listed: AuditList, store: AuditStore, clock: Clock
) -> None:
    clock.now = 1000.0
    rare = store.create(AuditRequest(spec=Spec(subject=ArtifactRef(model=MODELS[0]), plan=Plan()))).id
    clock.now = 1001.0
    for _ in range(3):
        store.create_many([AuditToCreate(request(MODELS[0], "x"))] * 1000)
    condition = And((Has(model_term(MODELS[0])), Not(Has(label_term("team", "x")))))
    first, following = listed.page(Query(condition), 5)
    assert (first, following != "") == ([], True)
    assert every_page(listed, Query(condition, after=following), 5) == [rare]


def test_ids_sort_by_time_and_are_each_another(store: AuditStore, clock: Clock) -> None:
    ids = []
    for clock.now in (1000.0, 1000.001, 1000.0, 5000.0):
        ids += [record.id for record in store.create_many([AuditToCreate(request(MODELS[0], "x"))] * 50)]
    assert len(set(ids)) == 200
    assert sorted(ids) == [*ids[:50], *ids[100:150], *ids[50:100], *ids[150:]]
    assert all(len(set(pair)) == 2 for pair in itertools.pairwise(ids))
