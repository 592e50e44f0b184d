"""Claims about how intervals narrowed."""

from __future__ import annotations

import pytest

from dropaudit import ArtifactSubject, Plan, Provider, Role, audit
from dropaudit.figures.trajectory import MOST_POINTS, TrajectoryRecorder
from dropaudit.report import Interval
from support.graphs import dense


def within(width: float) -> Interval:
    return Interval(estimate=0.5, lower=0.5 - width, upper=0.5 + width)


def recorded(looks: int) -> TrajectoryRecorder:
    recorder = TrajectoryRecorder()
    for look in range(1, looks + 1):
        recorder.note(look * 10, within(1 / look))
    return recorder


@pytest.mark.parametrize("looks", [2, 31, 32, 33, 63, 64, 65, 1000])
def test_however_many_looks_there_are_at_most_32_points_and_the_last_look_is_one(looks: int) -> None:
    found = recorded(looks).trajectory
    assert found is not None
    assert len(found.replicates) <= MOST_POINTS
    assert (found.replicates[0], found.replicates[-1]) == (10, looks * 10)
    assert found.upper[-1] == pytest.approx(0.5 + 1 / looks, abs=1e-7)
    assert list(found.replicates) == sorted(set(found.replicates))
    assert len({len(found.replicates), len(found.lower), len(found.estimate), len(found.upper)}) == 1


@pytest.mark.parametrize("looks", [0, 1])
def test_of_fewer_than_two_looks_there_is_no_trajectory(looks: int) -> None:
    assert recorded(looks).trajectory is None


def test_what_has_not_changed_and_what_is_not_known_is_no_point() -> None:
    recorder = TrajectoryRecorder()
    for replicates, interval in ((10, None), (20, within(0.2)), (30, within(0.2)), (40, within(0.1))):
        recorder.note(replicates, interval)
    assert recorder.trajectory is not None
    assert recorder.trajectory.replicates == (20, 40)


def test_an_audit_tells_how_its_intervals_narrowed_to_what_it_reports() -> None:
    graph = dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)")
    report = audit(ArtifactSubject(graph, Role.TRAIN), Plan(provider=Provider.CPU))
    (site,), (output,) = report.sites, report.outputs
    for interval, trajectory in (
        (site.keep_prob, site.keep_prob_trajectory),
        (output.scale_factor, output.scale_factor_trajectory),
    ):
        assert interval is not None
        assert trajectory is not None
        widths = [upper - lower for lower, upper in zip(trajectory.lower, trajectory.upper, strict=True)]
        assert widths[-1] < widths[0]
        assert trajectory.lower[-1] == pytest.approx(interval.lower, rel=1e-6)
        assert trajectory.upper[-1] == pytest.approx(interval.upper, rel=1e-6)
