"""Sites found by numbers: what a region's draws make of the data that they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.graph.draws.elementwise_region import Region, is_shape
from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.traversal import upstream
from dropaudit.graph.site import RemoteScale
from dropaudit.measure.finding.computed_rates import Blends, ComputedRates
from dropaudit.measure.finding.region_values import RegionValues
from dropaudit.measure.finding.repeated_masks import once_more
from dropaudit.measure.finding.scaled_by_rate import ScaledByRate
from dropaudit.stats.fits import Dropped, distinct, fit_dropped, fit_factor

_PRECISION, _HALF_PRECISION = 2e-5, 4e-3
_SUMS = frozenset({"Add", "Sub", "Sum"})
# Shares of a few draws that are one.
_SAME_SHARE = 0.05


class ElementKind(Enum):
    """The behaviour of a tensor's elements over many draws."""

    FIXED = "what no draw changes"
    MASK = "two values"
    NOISE = "numbers without data in them"
    DATA = "anything else"


class Applied(msgspec.Struct, frozen=True):
    """A place where draws meet data.

    Attributes:
        node: name of the node where they first do.
        source: the data; `other` is a second tensor that takes its place where it is not kept.
        result: what is made of it.
        law: slope, shift and fill; None where one of two tensors is taken, or nothing is ever dropped.
        kept: share that is kept.
        roots: what it is drawn from.
        mask: the noise that first meets the data.
        inert: the factor on data that is never dropped.
        again: what the same mask does further on, time after time, to what is zero already where it drops: a factor at
            most.
    """

    node: str
    source: str
    result: str
    law: Dropped | None
    kept: float
    roots: frozenset[str]
    mask: str
    other: str | None = None
    inert: float | None = None
    again: tuple[RemoteScale, ...] = ()


def _never(_source: str, _roots: frozenset[str]) -> bool:
    return False


class RegionReader:
    """Reads a region node by node."""

    def __init__(
        self,
        values: RegionValues,
        is_masked: Callable[[str, frozenset[str]], bool] = _never,
        scaled: Mapping[str, ScaledByRate] | None = None,
    ) -> None:
        """Make a reader.

        Args:
            values: of the region.
            is_masked: whether data was masked by certain roots before it came in.
            scaled: data that comes in scaled by what may be the rate of a mask, see `scaled_by_rates`.
        """
        self._values = values
        self._is_masked = is_masked
        self._scaled = scaled or {}
        self._region: Region = values.region
        self.kinds: dict[str, ElementKind] = {}
        self._ends: dict[str, Applied] = {}
        self._found: dict[str, Applied] = {}
        self._of_constants = {root.tensor for root in values.region.roots}
        # By tensor made of draws and constants alone, the results of masks on constants that it is made of.
        self._within: dict[str, frozenset[str]] = {}
        self._rates = ComputedRates(self._region.scope)
        self._blends = Blends(values)
        for root in self._region.roots:
            self._settle(root.tensor, pure=True)

    def read(self) -> list[Applied]:
        """Return the places where draws meet data, in graph order."""
        for node in self._region.nodes:
            self._follow(node)
        return list(dict.fromkeys(self._found.values()))

    def _settle(self, name: str, *, pure: bool) -> None:
        found = self._values.of(name)
        if found is None:
            self.kinds[name] = ElementKind.DATA
            return
        values = distinct(found)
        changes = bool(np.any(found != found[:1]))
        if pure or changes:
            kind = {1: ElementKind.FIXED, 2: ElementKind.MASK}.get(
                len(values), ElementKind.NOISE if pure else ElementKind.DATA
            )
            self.kinds[name] = kind if changes or len(values) > 1 else ElementKind.FIXED
        else:
            self.kinds[name] = ElementKind.FIXED if len(values) == 1 else ElementKind.DATA

    def _follow(self, node: onnx.NodeProto) -> None:
        outputs = [name for name in node.output if name]
        told = (name for position, name in enumerate(node.input) if name and not is_shape(node, position))
        inputs = list(dict.fromkeys(told))
        alone = all(self._is_constant(name) for name in inputs)
        data = self._data_of(inputs, alone=alone)
        meets = not alone and bool(data) and len(outputs) == 1
        scaled = meets and self._is_scaled_by_rate(node, data)
        masks = scaled or (meets and self._is_mask_of_data(node, data))
        if masks and not scaled:
            self._rates.add(self._blends.rates_of(node.output[0], data))
        for name in outputs:
            self.kinds[name] = ElementKind.DATA
            if alone or not data or masks:
                self._settle(name, pure=alone or not data or scaled)
        if alone:
            self._of_constants.update(outputs)
        if data and len(outputs) == 1 and not masks:
            self._meet(node, inputs, data)
            if node.output[0] not in self._ends:
                self._blends.add(node.output[0], data, by_noise=bool(self._noise(node, data)))
        if alone:
            within = frozenset().union(*(self._within.get(name, frozenset()) for name in inputs))
            self._within.update({name: within | ({name} & self._found.keys()) for name in outputs})

    def _data_of(self, inputs: list[str], *, alone: bool) -> list[str]:
        """Return the data that a node reads.

        Where draws meet nothing but constants, `alone`, that is a constant of many numbers, such as a weight, and what
        was made of it; elsewhere such constants are rates for each feature, and no data.
        """
        if alone:
            return [name for name in inputs if self._is_data(name) or name in self._ends]
        data = [name for name in inputs if self._is_data(name)]
        return [name for name in data if not self._is_constant(name)] or data

    def _is_constant(self, name: str) -> bool:
        """Whether a tensor is made of draws and constants."""
        return name in self._of_constants or name in self._region.scope.constants

    def _is_data(self, name: str) -> bool:
        if name in self.kinds:
            return self.kinds[name] is ElementKind.DATA
        constant = self._region.scope.constants.get(name)
        return constant is None or (constant.dtype.kind == "f" and len(distinct(constant)) > 2)

    def _is_mask_of_data(self, node: onnx.NodeProto, data: list[str]) -> bool:
        """Whether a function of draws and data takes two values: a mask whose rate is computed from data.

        Less(u, q) -> b
        Add(u, q) -> v ; Floor(v) -> m          where q is how often m is 1: noise on other data makes no mask
        """
        found = self._values.of(node.output[0])
        if found is None:
            return False
        if all(name in self._blends for name in data):
            return len(distinct(found)) == 2 and bool(self._blends.rates_of(node.output[0], data))
        if not self._noise(node, data):
            return False
        if found.dtype.kind == "b":
            return True
        sources = [self._values.of(name) for name in data]
        single = any(source is None or len(distinct(source)) < 2 for source in sources)
        return not single and len(distinct(found)) == 2

    def _is_scaled_by_rate(self, node: onnx.NodeProto, data: list[str]) -> bool:
        """Whether a mask meets nothing but what its rate was computed from, such as one over it: a mask still."""
        masks = any(self.kinds[name] is not ElementKind.FIXED for name in self._noise(node, data))
        return masks and node.op_type in ("Mul", "Div", "Where") and all(self._rates.are_in(name) for name in data)

    def _noise(self, node: onnx.NodeProto, data: list[str]) -> list[str]:
        return [name for name in node.input if name in self.kinds and name not in data]

    def _meet(self, node: onnx.NodeProto, inputs: list[str], data: list[str]) -> None:
        result = node.output[0]
        noise, ends = self._noise(node, data), self._latest_ends(data)
        roots = frozenset().union(*(self._region.touched[name] for name in noise))
        joined = self._joined(node, inputs, data, ends) if ends else None
        if joined is not None:
            self._replace(ends, noise, joined)
        elif noise and any(not roots <= self._roots(name) for name in data):
            first = self._first(node, noise, data, roots)
            if first is not None and self._is_masked(first.source, roots):
                # Its data is that of one run, with the zeros of another mask: no sum with it tells anything.
                self._found[first.result] = first
            elif first is not None:
                self._replace([self._ends[name] for name in noise if name in self._ends], noise, first)
        elif noise and self._meet_again(node, noise, data, roots):
            return
        elif len(ends) == 1 and self._only_scales(node, data):
            self._ends[result] = ends[0]

    def _meet_again(self, node: onnx.NodeProto, noise: list[str], data: list[str], roots: frozenset[str]) -> bool:
        """Read what a draw makes of data that came from a mask of the same draw; whether that is anything known.

        Mul(x, m) -> d ; Relu(d) -> h ; Mul(h, m) -> y        y is h: the first mask has left nothing to drop
        Mul(x, m) -> d ; Sigmoid(d) -> h ; Mul(h, m) -> y     h is dropped too
        """
        result = node.output[0]
        for source in data:
            first = self._mask_before(source)
            if first is None or first.roots != roots:
                continue
            precision = self._precision(result)
            factor, law = self._factor(result, source, precision), self._law(result, source, precision)
            again = once_more(self._region.scope, first.again, RemoteScale(source, result, factor)) if factor else None
            if again is not None:
                self._found[first.result] = replace(first, again=again)
                return True
            if law is not None and law.slope is not None:
                self._replace([], noise, Applied(node.name, source, result, law, law.kept, roots, noise[0]))
                return True
        return False

    def _mask_before(self, name: str) -> Applied | None:
        """Return the one mask on what a tensor is made of; None where there are several."""
        before = upstream(self._region.scope.producers.get, [name], stops=lambda each: each not in self.kinds)
        found = [self._found[each] for each in before if each in self._found]
        return found[0] if len(found) == 1 else None

    def _latest_ends(self, data: list[str]) -> list[Applied]:
        """Return the masks on what a node reads; what one was put on is data, also where another mask was before."""
        ends = {name: self._ends[name] for name in data if name in self._ends}
        sources = {end.source for end in ends.values()}
        return [end for name, end in ends.items() if name not in sources]

    def _roots(self, name: str) -> frozenset[str]:
        return self._region.touched.get(name, frozenset())

    def _replace(self, ends: list[Applied], noise: list[str], joined: Applied) -> None:
        """Put a mask in the place of its parts: a vector of factors that its noise is made of is not data."""
        parts = [self._within.get(name, frozenset[str]()) for name in noise]
        for result in {end.result for end in ends}.union(*parts):
            self._found.pop(result, None)
        self._found[joined.result] = self._ends[joined.result] = joined

    def _only_scales(self, node: onnx.NodeProto, data: list[str]) -> bool:
        """Whether a node moves elements of masked data, or multiplies them by one number."""
        alone = self._region.scope.sole_reader(data[0]) is node
        return alone and (node.op_type in MOVES or (node.op_type in ("Mul", "Div") and len(data) == 1))

    def _first(self, node: onnx.NodeProto, noise: list[str], data: list[str], roots: frozenset[str]) -> Applied | None:
        """Read what a node makes of data and noise that had nothing to do with each other."""
        result = node.output[0]
        values, precision = self._values.of(result), self._precision(result)
        if values is None or values.dtype.kind != "f":
            return None
        changing = [name for name in noise if self.kinds[name] is not ElementKind.FIXED]
        for source in sorted(data, key=lambda name: not self._is_alike(name, result)):
            law = self._law(result, source, precision) if changing else None
            if law is not None and law.slope is None and not self._is_alike(source, result):
                continue
            if law is not None:
                return self._before_scale(Applied(node.name, source, result, law, law.kept, roots, changing[0]))
            if not changing and (factor := self._factor(result, source, precision)) is not None:
                return Applied(node.name, source, result, None, 1.0, roots, noise[0], inert=factor)
        if node.op_type == "Where" and len(data) == 2 and self.kinds.get(node.input[0]) is ElementKind.MASK:
            condition = self._values.of(node.input[0])
            share = 0.5 if condition is None else float(condition.mean())
            return Applied(node.name, node.input[1], result, None, share, roots, node.input[0], other=node.input[2])
        return None

    def _before_scale(self, first: Applied) -> Applied:
        """Take in scales by the mask's own computed rate that its data came through, of those that make it larger.

        What multiplies by the rate itself is a gate of the model.
        """
        scaled = first.source
        while (step := self._scaled.get(scaled)) is not None and self._rates.are_in(step.rate):
            law = self._law(first.result, step.source, self._precision(first.result))
            if law is None or not self._is_enlarged(scaled, step.source):
                break
            first, scaled = replace(first, source=step.source, law=law), step.source
        return first

    def _is_enlarged(self, scaled: str, source: str) -> bool:
        shape = self._values.shapes[scaled]
        after, before = self._values.of(scaled), self._values.of(source, shape)
        return after is not None and before is not None and bool(np.all(np.abs(after) >= np.abs(before)))

    def _is_alike(self, name: str, result: str) -> bool:
        """Whether a tensor, or a constant, has the shape of a result."""
        constant = self._region.scope.constants.get(name)
        shape = self._values.shapes.get(name, None if constant is None else constant.shape)
        return shape == self._values.shapes[result]

    def _joined(self, node: onnx.NodeProto, inputs: list[str], data: list[str], ends: list[Applied]) -> Applied | None:
        """Read what more of the same draw, or of the same data, makes of what it has met already."""
        result, first = node.output[0], ends[0]
        roots = frozenset().union(*(self._roots(name) for name in inputs))
        own = first.roots | self._roots(first.source)
        others = [name for name in inputs if self._ends.get(name) is not first and not self._is_factor(node, name)]
        same = {end.roots for end in ends} == {first.roots}
        if not same or not roots <= own or not others or not self._read_here_alone(node, ends):
            return None
        if self._values.of(result) is None:
            return None
        sources = [first.source, *(name for name in data if name not in self._ends and name != first.source)]
        if first.inert is not None:
            return self._still_inert(result, first, [name for name in others if name in data])
        found = (self._with_more(result, first, source, len(ends)) for source in sources)
        return next((each for each in found if each is not None), None) or self._choice(node, data, ends)

    def _still_inert(self, result: str, first: Applied, more: list[str]) -> Applied | None:
        """Read what more makes of data that was never dropped; other data than its own is the model's."""
        factor = self._factor(result, first.source, self._precision(result))
        if factor is None or not set(more) <= {first.source}:
            return None
        return replace(first, result=result, inert=factor)

    def _with_more(self, result: str, first: Applied, source: str, ends: int) -> Applied | None:
        law = self._law(result, source, self._precision(result))
        if law is None or (first.law is not None and not self._keeps_alike(first.law, law, ends)):
            return None
        if law.slope is None and not law.by_rate and (first.law is None or first.law.slope is not None):
            # A factor for each element that comes in behind a mask of one rate is the model's.
            return None
        return Applied(first.node, source, result, law, law.kept, first.roots, first.mask)

    def _read_here_alone(self, node: onnx.NodeProto, ends: list[Applied]) -> bool:
        scope = self._region.scope
        own = [name for name in node.input if name in self._ends and self._ends[name] in ends]
        return all(scope.sole_reader(name) is node for name in own)

    def _is_factor(self, node: onnx.NodeProto, name: str) -> bool:
        """Whether an input is a number that only scales."""
        plain = name in self._region.scope.constants and not self._is_data(name)
        return plain and node.op_type in ("Mul", "Div")

    def _keeps_alike(self, first: Dropped, law: Dropped, ends: int) -> bool:
        """Whether a join keeps what was kept, or what was dropped, and not what data decides."""
        return ends > 1 or min(abs(law.kept - first.kept), abs(law.kept - (1 - first.kept))) < _SAME_SHARE

    def _choice(self, node: onnx.NodeProto, data: list[str], ends: list[Applied]) -> Applied | None:
        """m * x + (1 - m) * y, and x + m * (y - x), take one of two tensors."""
        if node.op_type not in _SUMS:
            return None
        first, result = ends[0], node.output[0]
        if len(ends) == 2 and abs(ends[0].kept + ends[1].kept - 1) < _SAME_SHARE and ends[0].law and ends[1].law:
            return Applied(
                first.node, first.source, result, None, first.kept, first.roots, first.mask, other=ends[1].source
            )
        base = [name for name in data if name not in self._ends]
        lerp = self._region.scope.producers.get(first.source)
        if lerp is not None and lerp.op_type == "Sub" and base and lerp.input[1] == base[0] and node.op_type == "Add":
            return Applied(
                first.node, lerp.input[0], result, None, first.kept, first.roots, first.mask, other=lerp.input[1]
            )
        return None

    def _law(self, result: str, source: str, precision: float) -> Dropped | None:
        values = self._values.of(result)
        data = self._values.of(source, self._values.shapes[result])
        if values is None or data is None or data.dtype.kind != "f" or data.dtype != values.dtype:
            return None
        return fit_dropped(values, data, precision)

    def _factor(self, result: str, source: str, precision: float) -> float | None:
        values = self._values.of(result)
        data = self._values.of(source, self._values.shapes[result])
        if values is None or data is None or data.dtype.kind != "f" or data.dtype != values.dtype:
            return None
        return fit_factor(values, data, precision)

    def _precision(self, name: str) -> float:
        found = self._values.of(name)
        return _HALF_PRECISION if found is not None and found.dtype == np.float16 else _PRECISION


def origin_of_mask(region: Region, mask: str) -> str:
    """Go back from a mask to where it parts from others of the same draw: a slice of one is a mask of its own."""
    producers = region.scope.producers
    while (node := producers.get(mask)) is not None and mask not in {root.tensor for root in region.roots}:
        touched: Iterable[str] = [name for name in dict.fromkeys(node.input) if name in region.touched]
        before = list(touched)
        if len(before) != 1 or node.op_type in ("Slice", "Gather", "Split", "GatherND", "GatherElements"):
            return mask
        mask = before[0]
    return mask
