"""Claims about a device without memory. The device is the seam: what it refuses is told, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import ExecutionFailed, InvalidModel, OutOfMemory
from dropaudit.plan import Provider
from dropaudit.runtime.oom_fallback import FallbackSampler, Note, on_first_that_fits
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Found, Use
from dropaudit.runtime.session import Session, Tensors
from support.graphs import dense, model

GPU = Device(Provider.CUDA, ("CUDAExecutionProvider",), "a GPU")
CPU = Device(Provider.CPU, ("CPUExecutionProvider",), "a CPU")


@dataclass(frozen=True)
class Small:
    """Draws up to `largest` replicates in a run, on a device that has room for `room`; `runs` are those it made."""

    room: int
    largest: int
    runs: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "tiled"

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        for start in range(0, count, self.largest):
            size = min(self.largest, count - start)
            if size > self.room:
                raise OutOfMemory("the device said so")
            self.runs.append(size)
            yield size, use(start, {name: np.zeros((size, 1)) for name in names})

    def affordable(self, names: Sequence[str]) -> int:
        return self.room


def length(_: int, found: Tensors) -> int:
    return len(found["y"])


def drawn(sampler: FallbackSampler, count: int) -> list[int]:
    return [found for _, found in sampler.pieces(count, ["y"], length)]


def test_runs_become_smaller_until_they_fit_and_stay_so() -> None:
    notes = list[str]()
    sampler = FallbackSampler(Small(room=20, largest=1000), notes.append)
    assert sum(drawn(sampler, 100)) == 100
    assert notes == [
        "out of memory: at most 25 replicates in a run instead of 100",
        "out of memory: at most 6 replicates in a run instead of 25",
    ]
    assert set(drawn(sampler, 60)) == {6}
    assert len(notes) == 2


def test_enough_memory_is_no_word_worth() -> None:
    notes = list[str]()
    assert drawn(FallbackSampler(Small(room=1000, largest=50), notes.append), 100) == [50, 50]
    assert notes == []


def test_what_does_not_fit_at_all_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory):
        drawn(FallbackSampler(Small(room=0, largest=8), lambda _: None), 8)


def refusing(*full: Device) -> Callable[[Device, Note], str]:
    def run(place: Device, note: Note) -> str:
        if place in full:
            note(f"smaller runs on {place.device}")
            raise OutOfMemory
        return place.device

    return run


def test_what_no_gpu_has_memory_for_runs_on_the_cpu_and_both_steps_are_told() -> None:
    notes = list[str]()
    assert on_first_that_fits([GPU, CPU], refusing(GPU), notes) == "a CPU"
    assert notes == ["smaller runs on a GPU", "out of memory on a GPU: on a CPU instead"]


@pytest.mark.parametrize("refusal", [InvalidModel, ExecutionFailed])
def test_what_a_gpu_has_no_kernel_for_runs_on_the_cpu_and_is_told(refusal: type[Exception]) -> None:
    def run(place: Device, _: Note) -> str:
        if place is GPU:
            raise refusal("no kernel for BatchNormalization")
        return place.device

    notes = list[str]()
    assert on_first_that_fits([GPU, CPU], run, notes) == "a CPU"
    assert notes == ["not run on a GPU (no kernel for BatchNormalization): on a CPU instead"]


def test_batch_normalization_in_training_is_audited_on_the_cpu_where_a_gpu_refuses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The seam is the session: CUDA's raises when it is made, and the CPU's provider stands for it otherwise."""
    gpu = Device(Provider.CUDA, ("CPUExecutionProvider",), "a GPU")
    make = Session.__init__

    def refusing_session(self: Session, model: onnx.ModelProto, place: Device, *others: Any, **options: Any) -> None:
        if place is gpu and any(node.op_type == "BatchNormalization" for node in model.graph.node):
            raise InvalidModel("ONNX Runtime cannot load the model: is_training_mode_ && opset >= 14")
        make(self, model, place, *others, **options)

    monkeypatch.setattr(Session, "__init__", refusing_session)
    chosen = "dropaudit.measure.cases.device_choice.choose"
    monkeypatch.setattr(chosen, lambda asked: gpu if asked is Provider.CUDA else CPU)
    text = (
        "g (float[N,3] x) => (float[N,3] y) <float[3] i = {1, 1, 1}, float[3] o = {0, 0, 0}, float r = {0.3},"
        " bool t = {1}> { b, m, v = BatchNormalization<training_mode = 1>(x, i, o, o, i)  y = Dropout(b, r, t) }"
    )
    report = audit(ArtifactSubject(model(text), Role.TRAIN), Plan(provider=Provider.CUDA, max_replicates=256))
    assert report.execution.provider == "cpu"
    (fallback,) = report.execution.fallbacks
    assert fallback.startswith("not run on a GPU (ONNX Runtime cannot load the model: is_training_mode_")
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.keep_prob.lower < 0.7 < site.keep_prob.upper


def test_what_nobody_has_memory_for_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(OutOfMemory, match="audit a smaller model or batch"):
        on_first_that_fits([GPU, CPU], refusing(GPU, CPU), [])


def test_an_audit_whose_large_runs_do_not_fit_is_made_with_smaller_ones_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Session.run

    def cramped(self: Session, feeds: Tensors, names: Sequence[str]) -> Tensors:
        if any(len(value) > 1024 for value in feeds.values() if value.ndim == 2):
            raise OutOfMemory
        return run(self, feeds, names)

    monkeypatch.setattr(Session, "run", cramped)
    content = dense("h = Mul(x, x)  y = Dropout(h, r, t)", columns=5)
    report = audit(ArtifactSubject(content, Role.TRAIN), Plan(provider=Provider.CPU, max_replicates=2048))
    assert report.execution.replicates >= 64
    assert report.execution.fallbacks
    assert all(each.startswith("out of memory: at most") for each in report.execution.fallbacks)
