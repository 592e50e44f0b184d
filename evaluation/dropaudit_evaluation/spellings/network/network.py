"""A graph as it grows: the tensor that the next layer takes, and the sites so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import onnx
from onnx import TensorProto, helper

from dropaudit_evaluation.spellings.grammar.pen import Cells, Pen
from dropaudit_evaluation.spellings.grammar.several import dropout_rate
from dropaudit_evaluation.spellings.grammar.site import spell_site
from dropaudit_evaluation.spellings.grammar.writer import FLOAT, INT64, GraphWriter
from dropaudit_evaluation.spellings.intention import Extent, SiteIntention
from dropaudit_evaluation.spellings.network.plan import GraphPlan, SitePlan

FEATURES, TIME, FIXED_BATCH = 16, 6, 8
Dims = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A float32 tensor: [batch, features], [batch, time, features], or a weight of fixed shape."""

    name: str
    dims: Dims


@dataclass
class Network:
    """The network as written so far.

    Attributes:
        plan: of the graph.
        rng: makes every choice.
        graph: the outermost graph.
        h: the tensor that the next layer takes.
        inputs: of the graph.
        sites: intentions, in their order.
        record: of every choice.
    """

    plan: GraphPlan
    rng: np.random.Generator
    h: Tensor
    graph: GraphWriter = field(default_factory=GraphWriter)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    sites: list[SiteIntention] = field(default_factory=list)
    record: list[str] = field(default_factory=list)

    def weight(self, *shape: int) -> str:
        """Write a weight that keeps the size of what it is multiplied with, and return its name."""
        return self.graph.constant(self.rng.standard_normal(shape) / np.sqrt(shape[-1]), FLOAT)

    def value_info(self, name: str, dims: Dims, element_type: int = FLOAT) -> onnx.ValueInfoProto:
        """Describe a tensor of the graph."""
        return helper.make_tensor_value_info(name, element_type, list(dims))

    def take_input(self, name: str, dims: Dims, element_type: int = FLOAT) -> str:
        """Add an input to the graph."""
        self.inputs.append(self.value_info(name, dims, element_type))
        return name

    def site(self, graph: GraphWriter, data: Tensor, plan: SitePlan, *, on_weight: bool = False) -> Tensor:
        """Write a site into a graph or a body, and return its result in float32."""
        pen = self.pen(graph, data, plan)
        given = data.name if plan.element_type == FLOAT else pen.cast(data.name, plan.element_type)
        result, first = graph.fresh("kept"), len(self.record)
        spell_site(pen, given, plan.wish, result)
        self.note(plan, given, result, self.record[first:], on_weight=on_weight)
        return replace(data, name=result if plan.element_type == FLOAT else pen.cast(result, FLOAT))

    def pen(self, graph: GraphWriter, data: Tensor, plan: SitePlan) -> Pen:
        """Return what the grammar needs to write at a tensor."""
        # Two draws of one site are each their own.
        seeds = None if plan.seed is None else count(plan.seed, 131)
        cells = cells_of(graph, data, plan.extent, self.rng)
        return Pen(graph, self.rng, self.record, cells, plan.element_type, seeds, dict(plan.forced))

    def note(
        self,
        plan: SitePlan,
        data: str,
        result: str,
        record: Sequence[str],
        *,
        on_weight: bool = False,
        shares_mask: bool = False,
    ) -> None:
        """Remember what a site is meant to be."""
        self.sites.append(
            SiteIntention(
                law=plan.wish.law,
                keep_prob=plan.wish.keep_prob,
                data=data,
                result=result,
                place=plan.place,
                factor=plan.wish.wrong,
                extent=plan.extent,
                is_dead=plan.place == "dead end",
                seed=plan.seed,
                by_operator=any("operator" in each or "dropout of ones" in each for each in record),
                uses_bernoulli=any("bernoulli" in each for each in record),
                applies_twice="application:mask twice" in record,
                on_weight=on_weight,
                shares_mask=shares_mask,
            )
        )

    def bends(self) -> None:
        """Remember that an operator that is not linear stands behind all sites so far."""
        self.sites = [replace(site, nonlinear_behind=True) for site in self.sites]

    def switched_off(self, data: Tensor, plan: SitePlan) -> Tensor:
        """Write a Dropout operator whose training_mode is False, or not there."""
        pen = self.pen(self.graph, data, plan)
        rate, _ = dropout_rate(pen, plan.wish.keep_prob)
        mode = () if pen.toss(0.5) else (pen.number(False, TensorProto.BOOL),)
        result = pen.emit("Dropout", data.name, rate, *mode)
        self.note(plan, data.name, result, ["site:operator"])
        return replace(data, name=result)


def cells_of(graph: GraphWriter, data: Tensor, extent: Extent, rng: np.random.Generator) -> Cells:
    """Return the shape of a mask over a tensor, with a tensor of that shape."""
    rank = len(data.dims)
    shared = {
        Extent.ELEMENT: (),
        Extent.BATCH: (0,),
        Extent.TIME: (1,),
        Extent.SAMPLE: (*range(1, rank),),
        Extent.TOKEN: (rank - 1,),
        Extent.WHOLE: (*range(rank),),
    }[extent]
    dims = tuple(1 if axis in shared else dim for axis, dim in enumerate(data.dims))
    whole = tuple(dim for dim in dims if isinstance(dim, int))
    fixed = whole if len(whole) == rank else None
    features = dims[-1]
    assert isinstance(features, int)
    return Cells(_like(graph, data, shared, fixed, rng), fixed, rank, features)


def _like(
    graph: GraphWriter,
    data: Tensor,
    shared: tuple[int, ...],
    fixed: tuple[int, ...] | None,
    rng: np.random.Generator,
) -> str:
    """Return a tensor of the mask's shape: the data itself, a constant, or a sum over the axes that share."""
    if not shared:
        return data.name
    if fixed is not None and rng.random() < 0.5:
        return graph.constant(np.zeros(fixed), FLOAT)
    return graph.emit("ReduceSum", data.name, graph.constant(list(shared), INT64), keepdims=1)
