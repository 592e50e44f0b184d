"""Claims about what a worker has of a sandbox: answers that are data, an end when it asks for one, and the cause."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dropaudit.errors import AuditCancelled, OutOfMemory
from dropaudit.plan import Phase, Plan, Progress, Provider, Role
from dropaudit.report import Report
from dropaudit_models import export
from dropaudit_store.records import ArtifactRef, Failure
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.content import Content, Material
from dropaudit_worker.sandbox.host import IsStopped, Sandbox, SandboxLost, Tell, TimeLimitExceeded
from dropaudit_worker.sandbox.jobs import SandboxedAudits, SandboxedInspections
from dropaudit_worker.sandbox.keeper import SandboxKeeper
from dropaudit_worker.sandbox.wire import (
    Answer,
    Answers,
    Ending,
    Failed,
    Garbled,
    Job,
    Made,
    Ready,
    Refused,
    Stopped,
    Told,
    encoded,
)
from support.bombs import ENDLESS_LOOP, LONG_KERNEL
from support.sandboxes import hostile

MEBIBYTE = 1 << 20
# Where it spins, nothing in the process hears anything: the interpreter's lock is held for good.
DEAF = "import re; re.match('(a+)+$', 'a' * 60 + 'b')"
SPINS = "while True: pass"


class Kept:
    """A keeper and the audits that it makes."""

    def __init__(self, most_jobs: int = 0, memory_bytes: int = 0, seconds: float = 60.0) -> None:
        self.keeper = SandboxKeeper(SandboxLimits(memory_bytes=memory_bytes), most_jobs, lambda: False)
        self.audits = SandboxedAudits(self.keeper, seconds)
        self.inspections = SandboxedInspections(self.keeper, seconds)

    @property
    def pid(self) -> int:
        self.keeper.warm()
        assert self.keeper._sandbox is not None
        return self.keeper._sandbox.pid

    def audit(self, content: bytes, seed: int = 0) -> Report | Failure:
        material = Material(ArtifactRef(role=Role.TRAIN), (content,))
        asked = Plan(provider=Provider.CPU, seed=seed)
        return self.audits(material, asked, lambda _: None, lambda: False)

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        self.keeper.close()


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return export("lstm-dropout", tmp_path).read_bytes()


def test_audits_and_inspections_of_one_sandbox_are_those_of_the_library(model: bytes) -> None:
    from dropaudit import ArtifactSubject, audit
    from dropaudit.measure.cases.inspect import inspect_model

    with Kept() as kept:
        first = kept.pid
        found = [kept.audit(model, seed=seed) for seed in (1, 2, 1)]
        sites = kept.inspections(model)
        assert kept.pid == first
    expected = audit(ArtifactSubject(model, Role.TRAIN), Plan(provider=Provider.CPU, seed=1))
    made = [each for each in found if isinstance(each, Report)]
    assert [each.outputs == expected.outputs for each in made] == [True, False, True]
    assert made[0].findings == expected.findings
    assert sites == inspect_model(model)


def test_progress_comes_as_it_is_made(model: bytes) -> None:
    heard = list[Progress]()
    with Kept() as kept:
        kept.audits(Material(ArtifactRef(role=Role.TRAIN), (model,)), Plan(), heard.append, lambda: False)
    assert [each.phase for each in (heard[0], heard[-1])] == [Phase.PREPARING, Phase.JUDGING]
    assert heard[-1].replicates > 0


def test_a_sandbox_makes_room_for_a_new_one_after_so_many_jobs(model: bytes) -> None:
    with Kept(most_jobs=2) as kept:
        pids = [(kept.pid, kept.inspections(model))[0] for _ in range(5)]
    assert [pids.index(each) for each in pids] == [0, 0, 2, 2, 4]


class Answering(Sandbox):
    """A sandbox without a process, which has one answer to everything."""

    def __init__(self, answer: Ending) -> None:
        self.answer = answer
        self.missing = ("Landlock",)
        self.is_closed = False

    def run(self, job: Job, content: Sequence[Content], tell: Tell, is_stopped: IsStopped, seconds: float) -> Ending:
        return self.answer

    def close(self) -> None:
        self.is_closed = True


def keeper_of(answer: Ending, started: list[Answering], firsts: list[bool], memory_bytes: int = 0) -> SandboxKeeper:
    def start(_: SandboxLimits) -> Answering:
        started.append(Answering(answer))
        return started[-1]

    return SandboxKeeper(SandboxLimits(memory_bytes=memory_bytes), 0, lambda: firsts.pop(), start)


def inspected(keeper: SandboxKeeper, seconds: float = 1.0) -> object:
    return SandboxedInspections(keeper, seconds)(b"")


@pytest.mark.parametrize(("grown", "count"), [(499, 1), (500, 2)])
def test_one_that_has_taken_half_of_what_it_may_makes_room_for_a_new_one(grown: int, count: int) -> None:
    started = list[Answering]()
    inspected(keeper_of(Made(memory_bytes=grown * MEBIBYTE), started, [False], memory_bytes=1000 * MEBIBYTE))
    assert [each.is_closed for each in started] == [True, False][2 - count :]


def test_what_the_kernel_does_not_give_is_said_once() -> None:
    with capture_logs() as lines:
        for _ in range(3):
            firsts = [False, False, not lines]
            inspected(keeper_of(Made(), [], firsts))
    assert [line["missing"] for line in lines] == ["Landlock"]


@pytest.mark.parametrize("content", [b"no model", ENDLESS_LOOP], ids=["a refusal", "a limit"])
def test_a_sandbox_is_not_kept_after_anything_but_a_report(content: bytes, model: bytes) -> None:
    with Kept(seconds=3.0) as kept:
        before = kept.pid
        with suppress(TimeLimitExceeded):
            assert isinstance(kept.audit(content), Failure)
        assert kept.pid != before
        assert isinstance(kept.audit(model), Report)


def test_what_cannot_be_ended_from_inside_is_ended_at_the_limit_and_no_later(model: bytes) -> None:
    with Kept(seconds=2.0) as kept:
        kept.inspections(model)
        began = time.monotonic()
        with pytest.raises(TimeLimitExceeded):
            kept.audit(LONG_KERNEL)
        assert 2.0 <= time.monotonic() - began < 4.0


@pytest.mark.parametrize("program", [SPINS, DEAF, "import time; time.sleep(600)"])
def test_a_job_that_is_cancelled_is_gone_within_a_second_whatever_it_does(program: str) -> None:
    with hostile() as inside:
        inside.says("said = 1")
        began = time.monotonic()
        with pytest.raises(AuditCancelled):
            inside.says(program, is_stopped=lambda: time.monotonic() - began > 1.0)
        assert time.monotonic() - began < 2.0


def test_a_job_that_hears_it_ends_by_itself() -> None:
    with hostile() as inside:
        inside.says("said = 1")
        assert inside.says("said = 3\nwhile not is_stopped(): pass", is_stopped=lambda: True) == 3
        assert inside.says("said = 2") == 2


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("import os; os.abort()", "signal 6 (SIGABRT)"),
        ("import ctypes; ctypes.string_at(0)", "signal 11 (SIGSEGV)"),
        ("import os; os._exit(7)", "it ended by itself, with status 7"),
    ],
)
def test_a_crash_is_told_with_its_cause(program: str, cause: str) -> None:
    with hostile() as inside, pytest.raises(SandboxLost) as lost:
        inside.says(program)
    assert (lost.value.cause, lost.value.by_memory) == (cause, False)


def test_a_sandbox_that_is_killed_is_told_with_the_signal() -> None:
    with hostile() as inside:
        inside.says("said = 1")
        threading.Timer(0.5, os.killpg, (inside.sandbox.pid, signal.SIGKILL)).start()
        with pytest.raises(SandboxLost) as lost:
            inside.says(SPINS)
    assert (lost.value.cause, lost.value.by_memory) == ("signal 9 (SIGKILL)", False)


@pytest.mark.parametrize(
    "program",
    [
        # As C++ ends where nothing catches it.
        "import os; os.write(2, b\"terminate called after throwing an instance of 'std::bad_alloc'\"); os.abort()",
        # All but a little of what it may take, and then a crash.
        "import ctypes; x = [bytearray(1 << 20) for _ in range(370)]; ctypes.string_at(0)",
    ],
)
def test_a_crash_for_want_of_memory_is_told_from_others(program: str) -> None:
    with hostile(SandboxLimits(memory_bytes=512 * MEBIBYTE)) as inside, pytest.raises(SandboxLost) as lost:
        inside.says(program)
    assert lost.value.by_memory


def test_memory_beyond_the_limit_is_an_error_of_the_job() -> None:
    with hostile(SandboxLimits(memory_bytes=512 * MEBIBYTE)) as inside:
        assert inside.says("said = len(bytearray(1 << 31))") == "MemoryError"


WRITES_TO_ITS_SOCKET = """
for each in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(each).st_mode):
            os.write(each, garbage)
    except OSError:
        pass
"""
GARBAGE = {
    "no frame": b"\x00\x00\x00\x05hello",
    "a frame without end": b"\xff\xff\xff\xff",
    "a pickle": b"\x00\x00\x00\x0e\x80\x04cos\nsystem\n.",
    "another type": b'\x00\x00\x00\x12{"type":"InspectJ"}',
    "a field of another type": b'\x00\x00\x00\x1a{"type":"Made","sites":"x"}'[:30],
    "nesting without end": (100_000).to_bytes(4, "big") + b"[" * 100_000,
    "no text": b"\x00\x00\x00\x04\xff\xfe\xfd\xfc",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_what_is_no_answer_ends_the_sandbox_and_nothing_else(kind: str) -> None:
    with hostile() as inside, pytest.raises(SandboxLost):
        inside.says(f"import os, stat; garbage = {GARBAGE[kind]!r}\n{WRITES_TO_ITS_SOCKET}")


@pytest.mark.parametrize("report", [{}, {"verdict": "GOOD"}, {"verdict": "PASS", "summary": [1]}])
def test_a_report_that_is_none_is_not_taken_for_one(report: dict[str, object]) -> None:
    lying = SandboxedAudits(keeper_of(Made(report=report), [], [False]), 1.0)
    with pytest.raises(SandboxLost, match="cannot be read"):
        lying(Material(ArtifactRef(), (b"",)), Plan(), lambda _: None, lambda: False)


@pytest.mark.parametrize("answer", [Refused(reason="OF_A_MODEL", message="click here"), Failed(trace="secret")])
def test_a_reason_that_nobody_knows_and_a_failure_are_internal(answer: Ending) -> None:
    failure = inspected(keeper_of(answer, [], [False]))
    assert isinstance(failure, Failure)
    assert failure.reason == "INTERNAL"
    assert "log" in failure.message


def test_frames_come_in_any_pieces() -> None:
    messages: list[Answer] = [
        Ready(missing=("x",)),
        Told(progress={"phase": "SAMPLING"}),
        Made(report={"a": 1}),
        Stopped(),
    ]
    whole = b"".join(map(encoded, messages))
    for size in (1, 3, 7, len(whole)):
        answers, found = Answers(), []
        for start in range(0, len(whole), size):
            answers.add(whole[start : start + size])
            while (answer := answers.next()) is not None:
                found.append(answer)
        assert found == messages


def test_an_answer_longer_than_any_report_is_refused_before_it_has_come() -> None:
    answers = Answers()
    answers.add((1 << 31).to_bytes(4, "big"))
    with pytest.raises(Garbled, match="too long"):
        answers.next()


def test_content_that_nobody_takes_in_does_not_hold_the_worker_up() -> None:
    with hostile() as inside:
        inside.says("said = 1")
        os.killpg(inside.sandbox.pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(TimeLimitExceeded):
            inside.says("#" * (64 * MEBIBYTE), seconds=1.0)
        assert time.monotonic() - began < 3.0


def test_nothing_is_left_of_a_sandbox_that_was_closed() -> None:
    with hostile() as inside:
        inside.says("said = 1")
        pid = inside.sandbox.pid
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_memory_that_a_crash_wanted_is_a_limit_of_the_audit() -> None:
    class Starved(Answering):
        def run(self, *_: object) -> Ending:
            raise SandboxLost("signal 6 (SIGABRT)", by_memory=True)

    with pytest.raises(OutOfMemory):
        inspected(SandboxKeeper(SandboxLimits(), 0, lambda: False, lambda _: Starved(Made())))


def test_what_an_earlier_job_said_does_not_explain_a_crash() -> None:
    with hostile() as inside:
        assert inside.says("import os; said = os.write(2, b'std::bad_alloc')") == 14
        with pytest.raises(SandboxLost) as lost:
            inside.says("import os; os.abort()")
    assert not lost.value.by_memory


def test_what_a_sandbox_says_fills_no_disk() -> None:
    with hostile() as inside:
        assert inside.says("import os; said = [os.write(1, b'x' * 65536), os.write(1, b'x')]") == "PermissionError"


def test_progress_without_end_is_passed_on_sparingly() -> None:
    class Telling(Answering):
        def run(
            self, job: Job, content: Sequence[Content], tell: Tell, is_stopped: IsStopped, seconds: float
        ) -> Ending:
            for _ in range(10_000):
                tell(Told(progress={"phase": "SAMPLING", "replicates": 1}))
            tell(Told(progress={"phase": "JUDGING"}))
            return Refused(reason="INVALID_MODEL", message="m")

    heard = list[Progress]()
    began = time.monotonic()
    telling = SandboxedAudits(SandboxKeeper(SandboxLimits(), 0, lambda: False, lambda _: Telling(Made())), 1.0)
    telling(Material(ArtifactRef(), (b"",)), Plan(), heard.append, lambda: False)
    assert len(heard) <= 3 + (time.monotonic() - began) / 0.01
    assert heard[-1].phase is Phase.JUDGING
