"""Replicates drawn one a run, so that a Dropout's masks of one run tell nothing of those of the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from dropaudit.graph.passes.decorrelate import staggered
from dropaudit.graph.passes.seeds import (
    dropout_operators,
    holds_dropout,
    holds_seeds,
    seeded,
    seeds_of,
    without_seeds_of_dropout,
)
from dropaudit.graph.site import GraphSite
from dropaudit.report import Implementation
from dropaudit.runtime.parallel import RUNS_OF_ONE_SEED, Stream
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Runs
from dropaudit.runtime.session import Session, draw_seed

# Elements between the stretches that two Dropout operators of one run draw from.
_STAGGER = 64
# The first cell of a mask hardly changes from a seed to the next: among so many cells it does not count.
_MANY_CELLS = 256
# Other operators than Dropout go on in one stream from run to run; a session costs as much as ten runs.
_RUNS_OF_ONE_STREAM = 4096


def single_runs(
    model: onnx.ModelProto, sites: Sequence[GraphSite], place: Device, seeds: np.random.Generator, fewest_cells: int
) -> Runs:
    """Return runs of a model, each with seeds of its own where the same seeds, counted on, would repeat masks.

    Seeds that are equal stay so: the masks of one run have the law that they have in the artifact.

    Args:
        model: what replicates are drawn from.
        sites: those that are measured.
        place: where to run.
        seeds: source of the runtime's seeds.
        fewest_cells: fewest cells of a mask.
    """
    if not holds_seeds(model):
        return Session(_apart(sites, model), place, seeds)
    if _draws_alone(model):
        # A generator without a seed of its own can be seeded at each run, and takes no new session.
        renewed = seeded(model, lambda: draw_seed(seeds))
        return Session(without_seeds_of_dropout(renewed), place, seeds)
    if not holds_dropout(model):
        return Stream(model, place, seeds, _RUNS_OF_ONE_STREAM)
    return Stream(model, place, seeds, 1 if fewest_cells < _MANY_CELLS else RUNS_OF_ONE_SEED)


def _draws_alone(model: onnx.ModelProto) -> bool:
    """Whether a model has one Dropout, and no two operators with one seed."""
    known = list(seeds_of(model).values())
    return dropout_operators(model) == 1 and len(set(known)) == len(known)


def _apart(measured: Sequence[GraphSite], model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep the masks of several Dropout operators of one run apart."""
    operators = [
        site
        for site in measured
        if site.implementation is Implementation.DROPOUT_OP and not site.path and site.maker == site.name
    ]
    taken = {site.maker for site in measured if site.mask is not None}
    operators = [site for site in operators if site.maker not in taken]
    if len(operators) < 2:
        return model
    return staggered(model, operators, [_STAGGER * number for number in range(len(operators))])
