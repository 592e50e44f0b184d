"""Inputs of the choice of a sampling strategy, and whether copies of an input may be run side by side."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dropaudit.graph.facts.batch_moments import batch_moments
from dropaudit.graph.passes.seeds import seeds_of
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case, is_frozen
from dropaudit.measure.sampling.both_modes import Shared
from dropaudit.measure.sampling.modes import NamedRuns
from dropaudit.measure.sampling.probes import SiteProbes
from dropaudit.measure.sampling.stochastic_part import Silent


class StrategyInputs(msgspec.Struct, frozen=True):
    """Everything that the choice depends on.

    Attributes:
        bypassed: runs of the model with its sites bypassed.
        measured: sites that are measured one by one.
        outputs: outputs that are compared.
        silent: the model with its sites bypassed, and its outputs.
        dependent: sites whose mask depends on another site's.
        shared: the session that runs the model in both modes, where one does.
    """

    case: Case
    bypassed: NamedRuns
    measured: tuple[GraphSite, ...]
    outputs: tuple[str, ...]
    silent: Silent
    dependent: frozenset[GraphSite] = frozenset()
    shared: Shared | None = None

    @property
    def ready(self) -> Shared | None:
        """The shared session, where it reads what is wanted."""
        found = self.shared
        fits = found is not None and (found.outputs, tuple(found.probes)) == (self.outputs, self.measured)
        return found if fits else None


def keeps_copies_apart(recipe: StrategyInputs) -> bool:
    """Whether copies of the input may be run together at all.

    A site whose mask cannot be seen may share it between copies, and statistics over the batch would run over all.
    """
    return len(recipe.measured) == len(recipe.case.model.active) and not batch_moments(recipe.case.model.scope)


def share_a_seed(
    recipe: StrategyInputs, shapes: Mapping[str, tuple[int, ...]], probes: Mapping[GraphSite, SiteProbes]
) -> bool:
    """Whether masks of other shapes come from one seed: side by side, copies would meet other parts of its stream."""
    known, found = seeds_of(recipe.case.model.proto), dict[int, tuple[int, ...]]()
    for site in recipe.measured:
        if site.maker in known:
            shape = shapes[probes[site].after]
            if found.setdefault(known[site.maker], shape) != shape:
                return True
    return False


def why_one_by_one(recipe: StrategyInputs) -> str:
    """Say why replicates of a subject cannot be drawn side by side."""
    active, measured = recipe.case.model.active, recipe.measured
    constant = [site.name for site in active if is_frozen(site)]
    if constant:
        return f"the mask of {constant[0]} is a constant, for this batch alone"
    hidden = [site.name for site in active if site not in measured]
    if hidden:
        return f"the mask of {hidden[0]} cannot be read, so that copies of the input may share it"
    if batch_moments(recipe.case.model.scope):
        return "statistics over the batch tie its entries together"
    seeds = list(seeds_of(recipe.case.model.untouched).values())
    if len(set(seeds)) < len(seeds):
        return "masks that one seed draws together may not keep their law side by side"
    return "no axis of the inputs was found along which entries have masks and answers of their own"
