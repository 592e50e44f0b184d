"""Evidence for judges, made by hand: graphs, sites and meters with known measurements, and no runtime."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
from onnx import parser

from dropaudit.graph.draws.random_operators import RandomOperator
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite, Law, Rates
from dropaudit.graph.sites.find import find_sites
from dropaudit.inputs import Feeds
from dropaudit.judge.measured_site import MeasuredSite
from dropaudit.measure.branches.taken import UnseenBranch
from dropaudit.measure.by_feature.meter import RatesMeter
from dropaudit.measure.case import Case, Model
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.comparing.left_out import LeftOut
from dropaudit.measure.evidence import Attributions, Evidence, Health, PhaseTimes
from dropaudit.measure.finding.linked_masks import LinkedMasks
from dropaudit.measure.finding.mask_comparison import MaskStudy
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.meters.site_meters import MaskMeter, NoiseMeter, SiteMeter
from dropaudit.measure.prepare import Prepared
from dropaudit.measure.sampling.probes import SiteProbes
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.measure.sampling.strategy import SamplingStrategy
from dropaudit.plan import Phase, Plan, Progress, Provider, Role
from dropaudit.report import Artifact, Implementation, Placement
from dropaudit.runtime.provider import Device
from dropaudit.subjects import Array
from support.graphs import HEADER

ALPHA = 1e-3
MANY = 1_000_000
CPU = Device(Provider.CPU, ("CPUExecutionProvider",), "a processor")


def site(name: str = "drop", declared: float | None = 0.8, **others: Any) -> GraphSite:
    """Return a site of a uniform chain that declares a keep probability; its result is the input x of a graph."""
    known = {
        "path": (),
        "implementation": Implementation.UNIFORM_CHAIN,
        "placement": Placement.UNKNOWN,
        "source": f"{name}.data",
        "result": "x",
        "maker": f"{name}.draw",
    }
    return GraphSite(name=name, declared_keep_prob=declared, **(known | others))


def mask_meter(
    kept: int,
    factors: tuple[float, ...] = (1.25,),
    *,
    cells: int = MANY,
    name: str = "drop",
    declared: float | None = None,
    law: Law | None = None,
) -> MaskMeter:
    """Return a meter that has seen so many cells, and these factors on what was kept."""
    meter = MaskMeter(name, declared, law or Law(1.0), (), ALPHA)
    _has_seen(meter, kept, cells, factors)
    return meter


def rates_meter(rates: tuple[float, ...], scale: float, power: float) -> RatesMeter:
    """Return a meter of a mask that multiplies what it keeps of each feature by scale * rate ** power."""
    meter = RatesMeter("drop", Rates(rates, (len(rates),)), (), ALPHA)
    before = np.ones((100_000, len(rates)))
    kept = np.random.default_rng(0).random(before.shape) < rates
    meter.read(before, np.where(kept, scale * np.array(rates) ** power, 0.0), sampled=True)()
    return meter


def noise_meter(mean: float, spread: float, *, declared: float | None = None, values: int = 100_000) -> NoiseMeter:
    """Return a meter of a site that multiplies by normal draws of this mean and spread."""
    meter = NoiseMeter("drop", declared, Law(1.0, spread=spread), (), 0.02, ALPHA)
    drawn = np.random.default_rng(0).standard_normal((1, values))
    # Exactly of mean 0 and variance 1.
    drawn = (drawn - drawn.mean()) / drawn.std()
    before = np.ones_like(drawn)
    meter.read(before, mean + spread * drawn, sampled=True)()
    return meter


def output_meter(
    factors: tuple[float, ...], *, name: str = "y", reference: tuple[float, ...] = (3.0, -4.0), runs: int = 1000
) -> OutputMeter:
    """Return a meter of an output that was its reference times these factors in turn; scale factors are their mean."""
    known = np.array([reference])
    meter = OutputMeter(name, known, 0.02, ALPHA)
    meter.read(np.resize(np.array(factors), runs)[:, None, None] * known, pictured=8)()
    return meter


def _has_seen(meter: MaskMeter, kept: int, cells: int, factors: tuple[float, ...]) -> None:
    meter.kept, meter.cells, meter.elements = kept, cells, cells
    meter.scale.add(np.array(factors))


def measured(kept: int, *factors: float, of: GraphSite | None = None, **others: Any) -> MeasuredSite:
    """Return a site with a meter of a mask, see `mask_meter`."""
    where = of or site()
    return MeasuredSite(where, mask_meter(kept, factors, name=where.name, **others))


def parsed(body: str, inputs: str = "float[N,16] x") -> onnx.ModelProto:
    """Return a graph of nodes, in ONNX's text form, with names for its nodes; constants come first, in <>."""
    return name_nodes(parser.parse_model(f"{HEADER} g ({inputs}) => (float[N,16] y) {body}"))


def model(
    proto: onnx.ModelProto,
    role: Role = Role.TRAIN,
    *,
    surviving: tuple[str, ...] = (),
    unseen: tuple[UnseenBranch, ...] = (),
    plain: onnx.ModelProto | None = None,
    sites: tuple[GraphSite, ...] | None = None,
) -> Model:
    """Return a model in its role; `plain` is what it takes at inference, if another branch, and `sites` stand in."""
    found = find_sites(proto) if sites is None else sites
    return Model(
        untouched=proto,
        proto=proto,
        plain=proto if plain is None else plain,
        sites=found,
        plain_sites=found if plain is None else find_sites(plain),
        role=role,
        specs=(),
        switches={},
        rates={},
        arrays={},
        surviving=frozenset(surviving),
        unseen=unseen,
    )


def reference(
    outputs: Mapping[str, Array] | None = None,
    derived: Mapping[str, Array] | None = None,
    *,
    unstable: tuple[str, ...] = (),
    other: tuple[RandomOperator, ...] = (),
    served_other: tuple[RandomOperator, ...] = (),
) -> Reference:
    """Return reference outputs; those of the train mode without its sites are the same unless they are given."""
    known = outputs or {}
    return Reference(known, known if derived is None else derived, frozenset(unstable), {}, other, served_other)


def pruned_product() -> onnx.ModelProto:
    """Return a product with a weight that holds exact zeros all over, as dropout on a weight leaves them."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(256) < 0.7, rng.standard_normal(256), 0.0)
    return parsed(f"<float[16,16] w = {{{', '.join(map(str, values))}}}> {{ y = MatMul(x, w) }}")


def operators(*names: str, outputs: tuple[str, ...] = ("y",), op_type: str = "RandomNormal") -> tuple[Any, ...]:
    """Return random operators that reach outputs."""
    return tuple(RandomOperator(name, op_type, frozenset(outputs)) for name in names)


def prepared(
    *sites: GraphSite,
    frozen: tuple[GraphSite, ...] = (),
    replayed: tuple[GraphSite, ...] = (),
    shared: Mapping[GraphSite, tuple[int, ...]] | None = None,
    identical: tuple[tuple[GraphSite, GraphSite], ...] = (),
    decided: tuple[tuple[GraphSite, GraphSite], ...] = (),
    labels: Mapping[str, Any] | None = None,
    linear: Mapping[str, bool] | None = None,
    known: Reference | None = None,
    pair: PairStudy | None = None,
    left_out: LeftOut | None = None,
    reason: str = "",
) -> Prepared:
    """Return what is known of sites before any replicate is drawn; nothing can be drawn of it."""
    probes = {each: SiteProbes(f"{each.name}.before", f"{each.name}.after") for each in sites}
    drawing = cast(SamplingStrategy, SimpleNamespace(probes=probes, name="tiled", reason=reason))
    study = MaskStudy(frozenset(frozen), frozenset(replayed), shared or {}, identical)
    return Prepared(
        known or reference(),
        {"y": True} if linear is None else linear,
        drawing,
        study,
        labels or {},
        pair,
        LinkedMasks(decided, decided),
        left_out or LeftOut(),
    )


def evidence(
    of: Model,
    ready: Prepared,
    *meters: SiteMeter,
    outputs: tuple[OutputMeter, ...] = (),
    inference: Model | None = None,
    plan: Plan | None = None,
    health: Health | None = None,
    attributions: Attributions | None = None,
    keep_prob: float | None = None,
) -> Evidence:
    """Return all that was measured of a model; every output is tested."""
    feeds = Feeds({"x": np.zeros((8, 16), np.float32), "ids": np.zeros(3, np.int64)}, frozenset({"x"}), ())
    digests = ("ab", "cd")[: 1 if inference is None else 2]
    return Evidence(
        artifacts=tuple(Artifact(sha256=32 * digest, bytes=321) for digest in digests),
        case=Case(of, inference, feeds, keep_prob),
        prepared=ready,
        meters=Meters(
            [(meter, "", "") for meter in meters],
            [(meter, meter.name) for meter in outputs],
            frozenset(meter.name for meter in outputs),
        ),
        health=health or Health(None, None),
        attributions=attributions or {},
        state=Progress(phase=Phase.JUDGING, replicates=640, max_replicates=1000, decided_tests=2, total_tests=2),
        plan=plan or Plan(provider=Provider.CPU),
        place=CPU,
        times=PhaseTimes(start=100.0, prepared=103.0, sampled=110.0),
        fallbacks=("one after another",),
        placement="it is small",
        device_memory=77,
    )
