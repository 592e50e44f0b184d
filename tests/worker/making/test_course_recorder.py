"""Claims about the course of an audit."""

from __future__ import annotations

from dropaudit_store.audits.course import Course
from dropaudit_worker.making.course_recorder import CourseRecorder, PhaseSpan


class Instants:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now * 10**9


def test_phases_follow_each_other_and_times_of_the_same_add_up() -> None:
    instants = Instants()
    recorder = CourseRecorder(instants)
    for now, phase in ((0, "LOADING"), (2, "PREPARING"), (5, "SAMPLING"), (6, "SAMPLING"), (9, "PREPARING")):
        instants.now = now
        recorder.enter(phase)
    instants.now = 10
    recorder.leave()
    assert recorder.course() == Course({"LOADING": 2.0, "PREPARING": 4.0, "SAMPLING": 4.0})
    assert recorder.spans[2] == PhaseSpan("SAMPLING", 5 * 10**9, 9 * 10**9)


def test_a_new_audit_begins_with_nothing() -> None:
    recorder = CourseRecorder(Instants())
    recorder.enter("LOADING")
    recorder.leave()
    recorder.looked_up(1, 0)
    recorder.begin()
    assert recorder.course() == Course()


def test_a_clock_that_is_set_back_makes_no_negative_time() -> None:
    instants = Instants()
    recorder = CourseRecorder(instants)
    instants.now = 10
    recorder.enter("LOADING")
    instants.now = 3
    recorder.leave()
    assert recorder.course().phases == {"LOADING": 0.0}


def test_a_sandbox_cannot_make_up_numbers_without_end() -> None:
    recorder = CourseRecorder(Instants())
    recorder.looked_up(10**30, -5)
    assert (recorder.course().hits, recorder.course().misses) == (100, 0)
