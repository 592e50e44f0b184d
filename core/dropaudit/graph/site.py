"""A dropout site as the graph declares it."""

from __future__ import annotations

import math
from enum import Enum

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit.report import Implementation, Placement


class Switch(Enum):
    """The switch that decides whether a site drops."""

    ON = "always"
    OFF = "never"
    INPUT = "a graph input"
    DEFAULT = "a graph input with a default"
    COMPUTED = "a tensor computed in the graph"


class Law(msgspec.Struct, frozen=True):
    """A site's law for an element x, as its structure says: slope * x + shift when kept, `dropped` when not.

    A Gaussian site (`spread` > 0) multiplies by a normal draw of mean `slope` and standard deviation `spread`.
    """

    slope: float
    shift: float = 0.0
    dropped: float = 0.0
    spread: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether dropped elements become zero and kept ones are only scaled."""
        return self.shift == 0 and self.dropped == 0 and self.spread == 0


class Application(msgspec.Struct, frozen=True):
    """One place where a mask meets data: the tensor before it and the one after, scales of the site's own included.

    `broadcast_to` is a tensor of the result's shape, where the data is smaller and broadcast to it.
    """

    source: str
    result: str
    broadcast_to: str | None = None


class RemoteScale(msgspec.Struct, frozen=True):
    """A scale of the site's own that operators which only move elements part from its mask."""

    source: str
    result: str
    factor: float


class Rates(msgspec.Struct, frozen=True):
    """A keep probability for each element; NaN where nothing is known, since no data away from zero came in.

    Attributes:
        values: in the order of the elements.
        shape: broadcast against the site's result.
    """

    values: tuple[float, ...]
    shape: tuple[int, ...]

    @property
    def array(self) -> NDArray[np.float64]:
        """The same as an array."""
        return np.array(self.values).reshape(self.shape)


class GraphSite(msgspec.Struct, frozen=True):
    """A place where a random mask is applied.

    Attributes:
        name: node that applies the mask.
        path: enclosing nodes from the outside in, each with the attribute that holds its body, as `node:attribute`.
        source: tensor before the mask, and before a scale that belongs to it.
        result: tensor after the mask and its scale.
        law: what the structure says it does; None where the drop rate is computed in the graph.
        mask: tensor that holds the mask alone, where the graph has one; its shape says what is shared.
        draw: what the mask is drawn from; equal draws are equal masks.
        maker: node that draws.
        remote: a scale of the site's own that lies further away; None where it lies between source and result.
        folded: a scale of the site's own that is part of an ordinary factor beside it.
        again: where the same mask meets, further on, what is zero already where it drops, with the factor there.
        repeats: further tensors that the same mask is applied to, as the unrolled steps of one layer.
        switch: what decides whether it drops.
        switch_input: the graph input behind INPUT and DEFAULT.
        default_on: value of the default behind DEFAULT.
        ratio_input: graph input that holds the drop rate, if one does.
        other: tensor that takes the place of the source where it is not kept, as in zoneout; None for a mask.
        broadcast_to: see Application.
        has_borders: whether cells of the mask are made of several cells of a draw, as in DropBlock, and those at a
            border of fewer, so that their rate is another.
        shares_draws: whether several cells of the mask may be made of one cell of a draw, and are not independent then.
        uneven: whether each element has a factor of its own, and the rates that ask for it are not known.
        rates: keep probability of each element where they differ, as with a drop rate for each feature.
        share: of the data that was kept when the site was found, where no rate is declared: about the keep probability.
    """

    name: str
    path: tuple[str, ...]
    implementation: Implementation
    placement: Placement
    declared_keep_prob: float | None
    source: str
    result: str
    law: Law | None = None
    mask: str | None = None
    draw: str = ""
    maker: str = ""
    remote: RemoteScale | None = None
    folded: float | None = None
    again: tuple[RemoteScale, ...] = ()
    repeats: tuple[Application, ...] = ()
    switch: Switch = Switch.ON
    switch_input: str | None = None
    default_on: bool = False
    ratio_input: str | None = None
    other: str | None = None
    uneven: bool = False
    rates: Rates | None = None
    share: float | None = None
    broadcast_to: str | None = None
    has_borders: bool = False
    shares_draws: bool = False

    @property
    def owner(self) -> str | None:
        """Node of the main graph whose body holds the site; None for a site of the main graph itself."""
        return self.path[0].rpartition(":")[0] if self.path else None

    @property
    def path_text(self) -> str:
        """The path as reports show it."""
        return "/".join(self.path)

    @property
    def keep_prob_as_run(self) -> float | None:
        """The declared keep probability as the runtime draws it: Bernoulli the other way round than it is written."""
        declared = self.declared_keep_prob
        turned = self.implementation is Implementation.BERNOULLI and declared is not None
        return 1 - declared if turned and declared is not None else declared

    @property
    def scale_elsewhere(self) -> float:
        """The factor that belongs to the site and does not lie between its source and its result."""
        remote = () if self.remote is None else (self.remote,)
        return math.prod((scale.factor for scale in (*remote, *self.again)), start=self.folded or 1.0)

    @property
    def applications(self) -> tuple[Application, ...]:
        """All places where the mask is applied, the measured one first."""
        return (Application(self.source, self.result, self.broadcast_to), *self.repeats)
