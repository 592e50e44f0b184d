"""Claims about what a parent makes of a child that is gone."""

from __future__ import annotations

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Spec
from dropaudit_store.redis.connection import connect
from dropaudit_worker.pool.losses import Losses, is_loss
from dropaudit_worker.sandbox.memory_kills import memory_kills

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


def ended(store: AuditStore, error: BaseException, kills: tuple[int, int] = (0, 0)) -> str:
    """Return how an audit fails whose only child ends with an error, the kernel's kills before and after it."""
    counted = iter(kills)
    audit_id = store.create(REQUEST).id
    store.claim(audit_id, 30.0, "worker/message/1")
    losses = Losses(store, "worker", pytest.fail, max_attempts=1, count_kills=lambda: next(counted))
    losses.child_lost(audit_id, "message", error)
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.reason == "WORKER_LOST"
    return failure.message.partition("the last known cause: ")[2]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (WorkerLostError("Worker exited prematurely: signal 11 (SIGSEGV) Job: 3."), "signal 11 (SIGSEGV)"),
        (WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 3."), "signal 9 (SIGKILL)"),
        (
            WorkerLostError("Worker exited prematurely: signal 14 (SIGALRM)"),
            "time: it ended itself at the hard time limit",
        ),
        (TimeLimitExceeded(1800), "time: its parent killed it at the hard time limit"),
        (WorkerLostError("Worker exited prematurely: exitcode 7 Job: 3."), "it ended by itself, with status 7"),
    ],
)
def test_the_cause_is_told(store: AuditStore, error: BaseException, cause: str) -> None:
    assert ended(store, error) == cause


def test_a_child_that_the_kernel_killed_while_memory_ran_out_is_lost_to_memory(store: AuditStore) -> None:
    killed = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.")
    assert ended(store, killed, kills=(4, 5)) == "memory: the kernel killed it for want of memory"
    assert ended(store, killed, kills=(5, 5)) == "signal 9 (SIGKILL)"


def test_an_audit_that_is_queued_again_is_told_of(store: AuditStore) -> None:
    woken = list[str]()
    audit_id = store.create(REQUEST).id
    store.claim(audit_id, 30.0, "worker/message/1")
    losses = Losses(store, "worker", woken.append, max_attempts=3)
    losses.child_lost(audit_id, "another message", WorkerLostError("signal 9"))
    assert woken == []
    losses.child_lost(audit_id, "message", WorkerLostError("signal 9"))
    assert woken == [audit_id]
    assert store.get(audit_id).state is AuditState.QUEUED


def test_a_redis_that_is_gone_leaves_it_to_the_lease() -> None:
    losses = Losses(AuditStore(connect("redis://127.0.0.1:1/0")), "worker", pytest.fail, max_attempts=3)
    losses.child_lost("any", "message", WorkerLostError("signal 9"))
    losses.keep([("any", "message")], 30.0)


def test_a_task_that_raised_is_no_loss() -> None:
    assert not is_loss(ValueError("signal 9"))
    assert is_loss(WorkerLostError("signal 9"))
    assert memory_kills() >= 0
