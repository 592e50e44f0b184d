"""Claims about replicates that stay on a device; the CPU is one too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from dropaudit import ArtifactSubject, Plan, Role
from dropaudit.audit import ignore_progress, never_cancelled
from dropaudit.errors import OutOfMemory
from dropaudit.measure.case import Case
from dropaudit.measure.cases.build_case import make_case
from dropaudit.measure.meters.site_meters import MaskMeter, Take
from dropaudit.measure.prepare import Prepared, make_meters, prepare
from dropaudit.measure.sampling.chunk_reader import Reader
from dropaudit.measure.sampling.sequential_loop import Meters, sample
from dropaudit.plan import Provider
from dropaudit.runtime.cuda import Kernels
from dropaudit.runtime.on_device import DeviceSampler
from dropaudit.runtime.oom_fallback import FallbackSampler
from dropaudit.runtime.provider import choose
from dropaudit.runtime.replicates import Alike, Reduction, Tile
from dropaudit.runtime.session import Tensors
from dropaudit.stats.tally import mask_of_counts, output_of_counts
from dropaudit_models.lstm.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.lstm.twins import build
from support.definitions import ALPHA_PRIME, alpha_affine
from support.graphs import dense, model
from support.kernels import HostKernels

CPU = choose(Provider.CPU)
PLAN = Plan(provider=Provider.CPU, max_replicates=2048)

TIME_FIRST = (
    "g (float[steps,batch,8] x) => (float[steps,batch,8] y) <float r = {0.3}, bool t = {1}>"
    "{ h = Tanh(x)  d = Dropout(h, r, t)  y = Neg(d) }"
)
MODELS = {
    "one site": dense("h = Tanh(x)  y = Dropout(h, r, t)"),
    "zeros before": dense("h = Relu(x)  d = Dropout(h, r, t)  y = Neg(d)"),
    "two sites": dense("h = Tanh(x)  a = Dropout(h, r, t)  b = Sigmoid(a)  y = Dropout(b, r, t)"),
    "batch second": model(TIME_FIRST),
    "unscaled chain": dense("u = RandomUniformLike(x)  b = Less(u, q)  m = Cast<to = 1>(b)  y = Mul(x, m)"),
    "layers": build(
        LSTMSpec(layers=(Layer(12, Wrapper(output_keep_prob=0.7)), Layer(9, Wrapper(output_keep_prob=0.5))))
    ).SerializeToString(),
}


def ready(content: bytes) -> tuple[Case, Prepared]:
    case = make_case(ArtifactSubject(content, Role.TRAIN), PLAN, CPU)
    return case, prepare(case, PLAN, CPU)


def on_device(prepared: Prepared, largest: int | None = None, kernels: Kernels | None = None) -> DeviceSampler:
    drawing = prepared.drawing
    assert drawing.tiling is not None
    tile = Tile(drawing.source.feeds, drawing.source.axes, drawing.tiling.output_axes, drawing.source.fixed)
    sampler = drawing.on_device("cpu", tile, np.random.default_rng(0), kernels)
    sampler.largest = largest or 64
    return sampler


@dataclass
class Both:
    """Reads every piece twice: what the device counted, and for other meters its elements."""

    counting: Reader
    looking: Reader
    counted_pieces: int = 0
    whole: int = field(default=64)

    def __call__(self, start: int, draws: Tensors) -> Take:
        first, second = self.counting(start, draws), self.looking(start, draws)
        return lambda: (first(), second())[0]

    def counts_suffice(self, fixed: Tensors, alike: Alike) -> bool:
        return self.counting.counts_suffice(fixed, alike)

    def reduction(self, fixed: Tensors) -> Reduction:
        return self.counting.reduction(fixed)

    def glimpse(self, draws: Tensors, fixed: Tensors) -> Take:
        return self.counting.glimpse(draws, fixed)

    def counted(self, counts: Tensors, whole: Callable[[], Take]) -> Take:
        self.counted_pieces += 1
        counting = self.counting.counted(counts, _never)
        # Elements are read by both: the counting meters must take in the counts alone.
        kept, self.counting = self.counting, Reader((), (), (), {})
        looking = whole()
        self.counting = kept
        return lambda: (counting(), looking())[0]


def _never() -> Take:
    raise AssertionError("the counts should have told")


def measured(meters: Meters) -> list[float]:
    found: list[float] = []
    for site, _, _ in meters.sites:
        assert isinstance(site, MaskMeter)
        found += [site.kept, site.cells, site.scale.lowest, site.scale.highest]
    for output, _ in meters.outputs:
        assert output.interval is not None
        found += [output.interval.estimate, output.interval.lower, output.spread, output.zero_fraction]
        found += output.time_profile
    return found


@pytest.mark.parametrize("name", MODELS)
def test_counts_say_what_the_elements_say(name: str) -> None:
    case, prepared = ready(MODELS[name])
    one, other = (make_meters(case, prepared, PLAN) for _ in range(2))
    both = Both(one.reader(), other.reader())
    for _, take in on_device(prepared).pieces(512, one.wanted(), both):
        take()
    assert both.counted_pieces == 7
    assert measured(one) == pytest.approx(measured(other), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_kernels_say_what_the_elements_say(name: str) -> None:
    case, prepared = ready(MODELS[name])
    one, other = (make_meters(case, prepared, PLAN) for _ in range(2))
    for meters, kernels in ((one, HostKernels()), (other, None)):
        sampler = on_device(prepared, kernels=kernels)
        reader = meters.reader()
        for _, take in sampler.pieces(512, meters.wanted(), reader if kernels else reader.__call__):
            take()
    # The second reads every element of replicates of the same law.
    assert measured(one) == pytest.approx(measured(other), rel=0.1, abs=0.02)
    for (site, _, _), (twin, _, _) in zip(one.sites, other.sites, strict=True):
        assert (site.scale.lowest, site.scale.highest) == pytest.approx((twin.scale.lowest, twin.scale.highest))
    for (output, _), (same, _) in zip(one.outputs, other.outputs, strict=True):
        assert output.survivor_ratio is not None
        assert same.survivor_ratio is not None
        assert output.survivor_ratio.median == pytest.approx(same.survivor_ratio.median, rel=0.1)
        assert output.histogram is not None


@pytest.mark.parametrize("kernels", [None, HostKernels()], ids=["graph", "kernels"])
def test_an_audit_decides_from_counts(kernels: Kernels | None) -> None:
    case, prepared = ready(MODELS["layers"])
    meters = make_meters(case, prepared, PLAN)
    state = sample(on_device(prepared, kernels=kernels), meters, PLAN, ignore_progress, never_cancelled)
    assert state.decided_tests == state.total_tests
    (site, _, _) = meters.sites[0]
    assert site.interval is not None
    assert not site.interval.excludes(0.7)


def test_masks_that_counts_do_not_describe_are_read_whole() -> None:
    slope, shift = alpha_affine(0.7)
    alpha = dense(
        "u = RandomUniformLike(x)  b = Less(u, q)  w = Where(b, x, low)  s = Mul(w, slope)  y = Add(s, shift)",
        extra=f", float low = {{{ALPHA_PRIME!r}}}, float slope = {{{slope!r}}}, float shift = {{{shift!r}}}",
    )
    case, prepared = ready(alpha)
    assert [site.law.is_plain for site in prepared.measured if site.law] == [False]
    meters = make_meters(case, prepared, PLAN)
    assert not meters.reader().counts_suffice(prepared.drawing.source.fixed, lambda before, after: True)
    for _, take in on_device(prepared).pieces(128, meters.wanted(), meters.reader()):
        take()
    assert meters.outputs[0][0].interval is not None


def test_counts_of_what_is_not_finite_or_has_no_positive_factor_tell_nothing() -> None:
    fine = {"kept": [3, 2], "cells": [4, 4], "strange": [0, 0], "lowest": [2, 2], "highest": [2, 2]}

    def tally(**changed: list[float]) -> object:
        return mask_of_counts({name: np.array(value) for name, value in {**fine, **changed}.items()})

    assert tally() is not None
    assert tally(strange=[0, 1]) is None
    assert tally(kept=[0, 0], lowest=[np.inf, np.inf], highest=[-np.inf, -np.inf]) is not None
    counts = {"projections": np.array([np.inf]), "products": np.ones(1), "zeros": np.zeros(1)}
    assert output_of_counts(counts) is None


def test_elements_are_read_where_the_counts_do_not_tell() -> None:
    """Of 1e38 and its double one is infinite in single precision: a kept element overflows."""
    case, prepared = ready(dense("h = Mul(x, big)  y = Dropout(h, r, t)", extra=", float big = {1.5e38}"))
    meters = make_meters(case, prepared, PLAN)
    for _, take in on_device(prepared).pieces(256, meters.wanted(), meters.reader()):
        take()
    assert meters.outputs[0][0].non_finite > 0


def test_a_device_that_refuses_is_asked_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    case, prepared = ready(MODELS["two sites"])
    meters = make_meters(case, prepared, PLAN)
    draw, asked, notes = DeviceSampler._draw, [], list[str]()

    def refusing(self: DeviceSampler, size: int, names: tuple[str, ...]) -> object:
        asked.append(size)
        if size > 30:
            raise OutOfMemory
        return draw(self, size, names)

    monkeypatch.setattr(DeviceSampler, "_draw", refusing)
    sampler = FallbackSampler(on_device(prepared, largest=100), notes.append)
    sizes = [size for size, _ in sampler.pieces(200, meters.wanted(), meters.reader())]
    assert sum(sizes) == 200
    assert asked[:3] == [100, 25, 25]
    assert len(notes) == 1
