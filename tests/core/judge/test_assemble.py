"""Claims about the parts of a report, from evidence made by hand: each number stands where it belongs."""

from __future__ import annotations

import time
from importlib.metadata import version

import onnx
import pytest
from msgspec.structs import replace

from dropaudit.graph.site import Law
from dropaudit.graph.sites.laws import alpha_law
from dropaudit.judge.assemble import execution_part, output_parts, site_parts
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.measure.meters.site_meters import SiteMeter
from dropaudit.plan import Plan, Provider, Role
from dropaudit.report import (
    Artifact,
    Attribution,
    Attributions,
    Axis,
    Family,
    Implementation,
    InputTensor,
    Interval,
    Placement,
    Scale,
    Settings,
    Site,
    Stop,
)
from dropaudit.runtime.provider import runtime_version
from support.made_evidence import (
    MANY,
    evidence,
    mask_meter,
    model,
    noise_meter,
    output_meter,
    parsed,
    prepared,
    pruned_product,
    reference,
    site,
)

Q = 0.8
BEFORE = Interval(estimate=0.5, lower=0.0, upper=1.0)
KEPT = int(Q * MANY)
CHAIN = "u = RandomUniformLike(h)  b = Less(u, q)  m = Cast<to = 1>(b)  e = Mul(h, m)"
RATES = "float r = {0.2}, float q = {0.6}, bool t = {1}, bool off = {0}"
BOTH = parsed(f"<{RATES}> {{ d = Dropout(x, r, t)  h = Neg(d)  {CHAIN}  g = Neg(e)  y = Dropout(g, r, off) }}")
OF_BOTH = model(BOTH)
OPERATOR, CHAINED, OFF = (
    next(each for each in OF_BOTH.sites if each.name == name) for name in ("Dropout_0", "Mul_0", "Dropout_1")
)


def part(meter: SiteMeter, law: Law | None = None, declared: float | None = Q) -> Site:
    """Return the part of one site, which lies on the input of a graph."""
    of = site(law=law, declared=declared)
    found = evidence(model(parsed("{ y = Neg(x) }"), sites=(of,)), prepared(of), meter)
    (described,) = site_parts(found, [MeasuredSite(of, meter)])
    return described


def test_a_site_is_described_with_what_was_measured() -> None:
    meter = mask_meter(KEPT)
    meter.elements = 640
    meter.trajectory.note(100, BEFORE)
    meter.trajectory.note(200, meter.interval)
    assert part(meter) == Site(
        name="drop",
        placement=Placement.UNKNOWN,
        implementation=Implementation.UNIFORM_CHAIN,
        family=Family.INVERTED,
        declared_keep_prob=Q,
        keep_prob=meter.interval,
        scale=Scale(min=1.25, median=1.25, max=1.25, expected=1.25),
        active_in_default_session=True,
        elements=640,
        keep_prob_trajectory=meter.trajectory.trajectory,
    )
    assert meter.trajectory.trajectory is not None


def test_a_site_of_which_no_cell_was_seen_is_described_as_it_declares() -> None:
    assert part(mask_meter(0, (), cells=0)) == Site(
        name="drop",
        placement=Placement.UNKNOWN,
        implementation=Implementation.UNIFORM_CHAIN,
        declared_keep_prob=Q,
        active_in_default_session=True,
    )


def test_the_callers_keep_probability_stands_before_the_graphs() -> None:
    assert part(mask_meter(KEPT, declared=0.5)).declared_keep_prob == 0.5
    assert part(mask_meter(KEPT), declared=None).declared_keep_prob is None


def test_the_factor_that_is_expected_goes_with_the_family() -> None:
    right = alpha_law(Q)
    law = Law(right.slope, right.shift, right.dropped)
    expected = {
        "mask": part(mask_meter(KEPT)).scale,
        "alpha": part(mask_meter(KEPT, (right.slope,), law=law), law=law).scale,
        "noise": part(noise_meter(1.0, 0.5)).scale,
        "nothing kept": part(mask_meter(0, (3.0,)), declared=0.0).scale,
    }
    found = {name: scale.expected for name, scale in expected.items() if scale is not None}
    assert found == {"mask": 1.25, "alpha": pytest.approx(right.slope), "noise": 1.0, "nothing kept": None}


def test_where_nothing_was_kept_there_is_no_scale() -> None:
    found = part(mask_meter(0, ()))
    assert found.scale is None
    assert found.keep_prob is not None


def test_factors_that_are_not_one_number_are_told_by_their_distribution() -> None:
    assert part(mask_meter(KEPT)).factors is None
    varying = part(mask_meter(KEPT, (1.0, 2.0, 2.0)))
    assert varying.factors is not None
    assert sum(varying.factors.counts) == 3
    assert varying.scale == Scale(min=1.0, median=2.0, max=2.0, expected=1.25)


@pytest.mark.parametrize("surviving", [(), ("Dropout_0",)])
def test_a_default_session_applies_chains_and_the_operators_that_it_leaves(surviving: tuple[str, ...]) -> None:
    of = replace(OF_BOTH, surviving=frozenset(surviving))
    found = {each.name: each for each in site_parts(evidence(of, prepared(OPERATOR, CHAINED)), [])}
    assert {name: each.active_in_default_session for name, each in found.items()} == {
        "Dropout_0": bool(surviving),
        "Mul_0": True,
        "Dropout_1": False,
    }


def test_sites_stand_in_the_order_of_the_model_with_the_axes_that_they_share_and_what_is_around_them() -> None:
    ready = prepared(OPERATOR, CHAINED, shared={CHAINED: (0, 1)}, labels={"Mul_0.after": (Axis.BATCH, Axis.FEATURE)})
    meter = mask_meter(600_000, (1.0,), name="Mul_0")
    found = site_parts(evidence(OF_BOTH, ready, meter), [MeasuredSite(CHAINED, meter)])
    assert [each.name for each in found] == [each.name for each in OF_BOTH.sites]
    described = {each.name: each for each in found}
    assert described["Mul_0"].shared_over == (Axis.BATCH, Axis.FEATURE)
    assert described["Mul_0"].family is Family.UNSCALED
    around = described["Mul_0"].surroundings
    assert around is not None
    assert [each.name for each in around.mask] == ["RandomUniformLike_0", "Less_0", "Cast_0"]
    assert described["Dropout_0"].keep_prob is None
    assert described["Dropout_0"].surroundings is not None


def test_a_site_is_told_with_the_module_and_the_line_that_an_exporter_wrote_down() -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(BOTH)
    applied = next(node for node in proto.graph.node if node.name == "Mul_0")
    for key, value in (("name_scopes", "['', 'encoder.dropout', 'mul']"), ("stack_trace", TRACE)):
        applied.metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    found = {each.name: each for each in site_parts(evidence(model(proto), prepared()), [])}
    assert (found["Mul_0"].module, found["Mul_0"].location) == ("encoder.dropout", "layers.py:42")
    assert (found["Dropout_0"].module, found["Dropout_0"].location) == ("", "")


TRACE = """File "/home/someone/layers.py", line 42, in forward
    return self.dropout(x)"""


def test_frozen_weights_are_sites_of_what_trains() -> None:
    proto = pruned_product()
    (found,) = site_parts(evidence(model(proto), prepared()), [])
    assert found.implementation is Implementation.CONSTANT_MASK
    assert site_parts(evidence(model(proto, Role.AUTO), prepared()), []) == ()


def test_outputs_are_described_by_their_meters() -> None:
    one, other = output_meter((0.9, 1.1), name="y"), output_meter((0.0, 2.0), name="z", reference=(1.0, 2.0, 3.0))
    one.trajectory.note(100, BEFORE)
    one.trajectory.note(200, one.interval)
    cause = Attribution(site="a", mean_gap_alone=0.1, mean_gap_without=0.2, variance_alone=0.3, variance_without=0.4)
    found = evidence(
        OF_BOTH, prepared(linear={"y": False}), outputs=(one, other), attributions={"y": (cause,), "z": ()}
    )
    first, second = output_parts(found)
    assert (first.name, first.shape, first.linear) == ("y", (1, 2), False)
    assert first.scale_factor == one.interval
    assert first.attributions == Attributions(sites=(cause,))
    assert first.scale_factor_trajectory == one.trajectory.trajectory is not None
    assert first.survivor_ratio == one.survivor_ratio is not None
    assert first.histogram == one.histogram is not None
    assert first.excerpt == one.excerpt is not None
    assert first.time_profile == ()
    assert (second.name, second.shape, second.linear, second.attributions) == ("z", (1, 3), True, None)
    assert (first.zero_fraction, second.zero_fraction) == (0.0, 0.5)


def test_a_time_profile_is_that_of_its_meter() -> None:
    meter = output_meter((1.0, 2.0), reference=(3.0, -4.0))
    timed = type(meter)("y", meter.weights.reshape(1, 2), 0.02, 1e-3, 1)
    timed.read(meter.weights.reshape(1, 1, 2) * 2, pictured=1)()
    (found,) = output_parts(evidence(OF_BOTH, prepared(), outputs=(timed,)))
    assert found.time_profile == pytest.approx((2.0, 2.0))


def test_the_execution_is_described_with_all_that_was_asked_and_done() -> None:
    plan = Plan(alpha=0.01, tolerance=0.03, max_replicates=999, seed=5, provider=Provider.CPU)
    found = evidence(OF_BOTH, prepared(reason="one by one"), plan=plan, keep_prob=0.25)
    start = time.perf_counter() - 50
    times = replace(found.times, start=start, prepared=start + 3, sampled=start + 10)
    execution = execution_part(replace(found, times=times))
    assert execution.seconds.prepare == pytest.approx(3)
    assert execution.seconds.run == pytest.approx(7)
    assert 50 <= execution.seconds.total <= time.perf_counter() - start
    assert (execution.provider, execution.device) == ("cpu", "a processor")
    assert (execution.runtime_version, execution.version) == (runtime_version(), version("dropaudit"))
    assert (execution.seed, execution.replicates, execution.stopped) == (5, 640, Stop.DECIDED)
    assert execution.inputs == (
        InputTensor(name="x", dtype="float32", shape=(8, 16), synthesized=True),
        InputTensor(name="ids", dtype="int64", shape=(3,), synthesized=False),
    )
    assert execution.artifacts == (Artifact(sha256="ab" * 32, bytes=321),)
    assert (execution.sampling, execution.sampling_reason) == ("tiled", "one by one")
    assert (execution.fallbacks, execution.placement) == (("one after another",), "it is small")
    assert execution.device_memory_bytes == 77
    assert execution.settings == Settings(
        alpha=0.01, tolerance=0.03, max_replicates=999, provider="cpu", role="train", keep_prob=0.25
    )


def test_a_pair_has_two_artifacts_and_no_role() -> None:
    other = model(parsed("{ y = Neg(x) }"), Role.INFERENCE)
    plan = Plan(provider=Provider.CPU, compare_provider=Provider.CUDA)
    execution = execution_part(evidence(OF_BOTH, prepared(known=reference()), inference=other, plan=plan))
    assert [each.sha256 for each in execution.artifacts] == ["ab" * 32, "cd" * 32]
    assert execution.settings is not None
    assert (execution.settings.role, execution.settings.compare_provider) == ("", "cuda")


def test_tests_that_were_left_open_exhausted_the_replicates() -> None:
    found = evidence(OF_BOTH, prepared())
    exhausted = replace(found, state=type(found.state)(phase=found.state.phase, decided_tests=1, total_tests=2))
    assert execution_part(exhausted).stopped is Stop.EXHAUSTED


def test_a_model_without_a_site_is_not_sampled() -> None:
    execution = execution_part(evidence(model(parsed("{ y = Neg(x) }")), prepared(reason="one by one")))
    assert (execution.sampling, execution.sampling_reason) == ("", "")
