"""Claims about notifications on their way, with receivers that are HTTP servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from dropaudit_chaos.receivers import Answer, HttpReceiver, receiving
from dropaudit_store.errors import DeliveryNotFound
from dropaudit_store.notifications.deliveries import DeliveryState, DeliveryStore, Ended
from dropaudit_store.records import Form, Glob, NotifyOn, Target
from dropaudit_worker.notifications import Post, verify
from dropaudit_worker.runs.delivering import Deliverer
from support.batches import Batches
from support.clock import Clock

A = "a" * 64


@pytest.fixture
def heard() -> Iterator[HttpReceiver]:
    with receiving() as found:
        yield found


def answer(heard: HttpReceiver, status: int) -> None:
    """Let a receiver answer so from now on."""
    heard.answers[:] = [Answer(status)]


@pytest.fixture
def batches(redis_client: redis.Redis, clock: Clock) -> Batches:
    made = Batches(redis_client, clock)
    made.models.add(A, 1, "a.onnx")
    return made


def told(batches: Batches, *targets: Target) -> DeliveryStore:
    """Make a run whose end is told to receivers."""
    batches.suite(Glob(pattern="*"), targets=targets)
    batches.whole("first")
    return DeliveryStore(batches.client, batches.clock)


def deliverer(batches: Batches, store: DeliveryStore, post: Any = None) -> Deliverer:
    return Deliverer(
        store,
        batches.runs.read,
        batches.suites.get,
        post or Post(allow_private=True),
        "https://audits.example/",
        lambda: 0.0,
        batches.clock,
    )


def only(store: DeliveryStore) -> Any:
    ((found,), _) = store.page("nightly", 9)
    return found


def test_a_receiver_gets_one_call_signed_with_the_run(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS, secret="key"))
    assert not deliverer(batches, store).deliver()
    assert not deliverer(batches, store).deliver()
    (call,) = heard.received
    assert verify(call.body, call.headers, "key", batches.clock.now)
    payload = json.loads(call.body)
    assert (payload["type"], payload["trigger"]) == ("dropaudit.run", "ALWAYS")
    assert payload["run"]["name"] == "suites/nightly/runs/first"
    assert (payload["run"]["verdict"], payload["run"]["counts"]) == ("PASS", {"total": 1, "succeeded": 1, "pass": 1})
    assert payload["links"]["run"] == "https://audits.example/suites/nightly/runs/first"
    found = only(store)
    assert (found.state, found.attempts, found.last_error) == (DeliveryState.DELIVERED, 1, "")
    # The secret is the suite's alone.
    assert "key" not in str(batches.client.get(f"dropaudit:delivery:nightly:{found.id}"))


def test_a_receiver_that_is_away_is_called_again_later(batches: Batches, heard: HttpReceiver) -> None:
    answer(heard, 503)
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS, secret="key"))
    deliverer(batches, store).deliver()
    found = only(store)
    assert (found.state, found.last_error, found.next_time) == (
        DeliveryState.PENDING,
        "HTTP 503",
        batches.clock.now + 5.0,
    )
    deliverer(batches, store).deliver()
    assert len(heard.received) == 1
    batches.clock.now += 5
    answer(heard, 200)
    deliverer(batches, store).deliver()
    assert (len(heard.received), only(store).state) == (2, DeliveryState.DELIVERED)
    # It is the same notification, and says so.
    assert len({each.headers["webhook-id"] for each in heard.received}) == 1


def test_what_is_refused_is_dead_until_somebody_sends_it_again(batches: Batches, heard: HttpReceiver) -> None:
    answer(heard, 410)
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    deliverer(batches, store).deliver()
    assert (only(store).state, only(store).last_error) == (DeliveryState.DEAD, "HTTP 410")
    answer(heard, 200)
    store.again("nightly", only(store).id)
    deliverer(batches, store).deliver()
    assert only(store).state is DeliveryState.DELIVERED
    with pytest.raises(DeliveryNotFound):
        store.again("nightly", "none")


def test_a_receiver_that_never_answers_is_given_up(batches: Batches, heard: HttpReceiver) -> None:
    answer(heard, 500)
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    for _ in range(20):
        deliverer(batches, store).deliver()
        batches.clock.now += 4000
    assert (only(store).state, only(store).attempts, len(heard.received)) == (DeliveryState.DEAD, 12, 12)
    assert only(store).last_error == "HTTP 500 after 12 attempts"


def test_private_addresses_are_not_called_unless_they_may_be(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    deliverer(batches, store, Post()).deliver()
    assert (only(store).state, heard.received) == (DeliveryState.DEAD, [])
    assert "127.0.0.1" in only(store).last_error


def test_slack_gets_its_own_form(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS, form=Form.SLACK))
    deliverer(batches, store).deliver()
    (call,) = heard.received
    assert json.loads(call.body)["text"] == ":white_check_mark: *nightly*: PASS (1 PASS)"


def test_nobody_is_told_any_more_who_was_taken_out(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    suite = batches.suites.get("nightly")
    batches.suites.replace(suite, msgspec.structs.replace(suite, targets=()))
    deliverer(batches, store).deliver()
    assert (only(store).state, heard.received) == (DeliveryState.DEAD, [])


def test_what_was_taken_and_never_noted_is_due_again(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    assert store.take() is not None
    assert store.take() is None
    batches.clock.now += 61
    assert store.is_due()
    deliverer(batches, store).deliver()
    assert len(heard.received) == 1


def test_a_deleted_suite_s_notifications_are_gone(batches: Batches, heard: HttpReceiver) -> None:
    store = told(batches, Target(url=heard.url(), on=NotifyOn.ALWAYS))
    taken = store.take()
    assert taken is not None
    store.delete_all("nightly")
    store.note(taken, Ended(DeliveryState.DELIVERED))
    assert store.page("nightly", 9) == ([], "")
    batches.clock.now += 100
    assert not store.is_due()


def test_the_oldest_are_forgotten_beyond_so_many(batches: Batches) -> None:
    store = told(batches, *(Target(url=f"https://example.com/{number}", on=NotifyOn.ALWAYS) for number in range(5)))
    store.trim("nightly", 2)
    assert len(store.page("nightly", 9)[0]) == 2
    assert batches.client.zcard("dropaudit:deliveries-due") == 2
