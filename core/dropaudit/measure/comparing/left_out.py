"""Outputs and sites that cannot be measured, and why: an audit goes on without them and says so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from dropaudit.errors import ShapeVaries
from dropaudit.graph.site import GraphSite
from dropaudit.measure.cases.reference import NO_ELEMENTS
from dropaudit.measure.sampling.strategy import SamplingStrategy
from dropaudit.subjects import Array

Shape = tuple[int, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """Sites and outputs that are not measured, each with the reason as the rest of a sentence that names it."""

    outputs: Mapping[str, str] = msgspec.field(default_factory=dict)
    sites: Mapping[GraphSite, str] = msgspec.field(default_factory=dict)

    def __or__(self, other: LeftOut) -> LeftOut:
        return LeftOut({**self.outputs, **other.outputs}, {**self.sites, **other.sites})

    def __bool__(self) -> bool:
        return bool(self.outputs or self.sites)


class Unmeasurable(Exception):
    """A site or output cannot be measured: the preparation starts again without it."""

    def __init__(self, left_out: LeftOut) -> None:
        super().__init__(left_out)
        self.left_out = left_out


@contextmanager
def naming_what_varies(drawing: SamplingStrategy, outputs: Mapping[str, Array]) -> Iterator[None]:
    """Say which outputs and sites a tensor belongs to whose shape differs from run to run.

    Raises:
        Unmeasurable: there is such a tensor, and an output or a site is measured by it.
    """
    try:
        yield
    except ShapeVaries as error:
        found = LeftOut(
            {name: error.why for name in outputs if name == error.tensor},
            {site: error.why for site, each in drawing.probes.items() if error.tensor in (each.before, each.after)},
        )
        if not found:
            raise
        raise Unmeasurable(found) from error


def check_shapes(drawing: SamplingStrategy, outputs: Mapping[str, Array]) -> None:
    """Refuse what one replicate already shows to be unmeasurable.

    An output must have one shape in both modes, a site's data must broadcast to its result, and a result must have
    elements.

    Raises:
        Unmeasurable: an output or a site is otherwise.
    """
    found = LeftOut(
        {
            name: f"its shape is {value.shape} with every site bypassed, and {drawing.shapes[name]} in train mode"
            for name, value in outputs.items()
            if value.shape != drawing.shapes[name]
        },
        {
            site: why
            for site, each in drawing.probes.items()
            if (why := _why_not(drawing.shapes[each.before], drawing.shapes[each.after]))
        },
    )
    if found:
        raise Unmeasurable(found)


def _why_not(data: Shape, result: Shape) -> str:
    if math.prod(result) == 0:
        return NO_ELEMENTS
    aligned = zip(reversed(data), reversed(result), strict=False)
    fits = len(data) <= len(result) and all(one in (1, other) for one, other in aligned)
    return "" if fits else f"its data has shape {data}, and its result {result}"
