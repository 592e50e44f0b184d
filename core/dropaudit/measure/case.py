"""The case of an artifact audit: the models of a subject in the modes of their roles, and their feeds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec
import numpy as np
import onnx

from dropaudit.files.model_files import ModelContent
from dropaudit.graph.conditions.defaults import settle_defaults
from dropaudit.graph.facts.linear_paths import without_effect
from dropaudit.graph.facts.memory_estimate import weight_elements
from dropaudit.graph.passes.runnable.float_edges import with_float_edges
from dropaudit.graph.passes.runnable.silent_draws import without_silent_draws
from dropaudit.graph.reading.constants import Constants
from dropaudit.graph.reading.held_weights import (
    LARGE_WEIGHTS,
    Held,
    give_back_overridable,
    weight_bytes,
    with_weights_held,
)
from dropaudit.graph.reading.load import parse_content
from dropaudit.graph.reading.scope import Scope, scopes
from dropaudit.graph.reading.signature import InputSpec
from dropaudit.graph.reading.unique_names import name_nodes
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites.deciders import ON, Positions, Switches
from dropaudit.graph.sites.frozen_masks import frozen_weights
from dropaudit.inputs import Feeds, batch_extent
from dropaudit.measure.branches.taken import UnseenBranch
from dropaudit.plan import Role
from dropaudit.report import Implementation
from dropaudit.runtime.heap import give_back_freed_memory
from dropaudit.subjects import Array


class Model(msgspec.Struct, frozen=True, dict=True):
    """One artifact in its role.

    Attributes:
        untouched: the artifact with nothing but names for its nodes; what a default session is asked about.
        proto: the artifact with the branches that it takes in its role; its sites are measured.
        plain: the artifact with the branches that it takes at inference.
        sites: of `proto`.
        plain_sites: of `plain`.
        switches: graph inputs that switch sites, with the values that switch them on and off.
        rates: graph inputs that hold a keep probability or a drop rate, with the value that is fed.
        arrays: what it is fed, switches excluded.
        surviving: nodes that a default session leaves of the untouched artifact.
        weights: what the models refer to.
        unseen: branches with random operators that the data does not take.
        indexed: all graphs of `untouched`, where they are known.
    """

    untouched: onnx.ModelProto
    proto: onnx.ModelProto
    plain: onnx.ModelProto
    sites: tuple[GraphSite, ...]
    plain_sites: tuple[GraphSite, ...]
    role: Role
    specs: tuple[InputSpec, ...]
    switches: Switches
    rates: Constants
    arrays: dict[str, Array]
    surviving: frozenset[str]
    weights: tuple[Held, ...] = ()
    unseen: tuple[UnseenBranch, ...] = ()
    indexed: tuple[Scope, ...] = ()

    @cached_property
    def scope(self) -> Scope:
        """The main graph of `proto`, indexed."""
        return self.scopes[0]

    @cached_property
    def scopes(self) -> list[Scope]:
        """All graphs of `proto`, indexed."""
        if self.indexed and self.proto is self.untouched and not self.rates:
            return list(self.indexed)
        return list(scopes(self.proto, self.rates))

    @cached_property
    def plain_scopes(self) -> list[Scope]:
        """All graphs of `plain`, indexed."""
        return self.scopes if self.plain is self.proto else list(scopes(self.plain, self.rates))

    @property
    def active(self) -> tuple[GraphSite, ...]:
        """Sites that drop when the model runs in its role."""
        return tuple(site for site in self.sites if is_active(site, self.role))

    @cached_property
    def dead(self) -> frozenset[GraphSite]:
        """Active sites whose result reaches no output."""
        return without_effect(self.scopes, self.active)

    @cached_property
    def frozen_weights(self) -> tuple[GraphSite, ...]:
        """Weights that hold a frozen mask; only in role train, since a pruned weight looks the same."""
        return tuple(frozen_weights(self.scope)) if self.role is Role.TRAIN else ()

    @property
    def inert(self) -> tuple[GraphSite, ...]:
        """Sites that declare a drop rate and cannot be made to drop."""
        return tuple(site for site in self.sites if site.switch is Switch.OFF and site.declared_keep_prob != 1)

    def switch_feeds(self, on: bool, *, override: bool = True) -> dict[str, Array]:
        """Return what to feed the inputs that switch sites.

        Args:
            on: whether its sites drop.
            override: False leaves inputs that have a default alone.
        """
        return switch_feeds(self.specs, self.switches, on=on, override=override)


def switch_feeds(
    specs: Iterable[InputSpec], switches: Switches, *, on: bool, override: bool = True
) -> dict[str, Array]:
    """Return what to feed the inputs that switch sites; see Model.switch_feeds."""
    return {
        spec.name: np.full(
            [1 if isinstance(dim, str) else dim for dim in spec.dims],
            switches[spec.name].on if on else switches[spec.name].off,
            spec.dtype,
        )
        for spec in specs
        if spec.name in switches and (override or not spec.has_default)
    }


class Case(msgspec.Struct, frozen=True):
    """A subject made ready: the model whose sites are measured, the inference artifact of a pair, and their inputs."""

    model: Model
    inference: Model | None
    feeds: Feeds
    keep_prob: float | None

    @property
    def train_feeds(self) -> dict[str, Array]:
        """Inputs with the sites switched on; an inference artifact is fed as in production."""
        training = self.model.role is not Role.INFERENCE
        return {**self.model.arrays, **self.model.switch_feeds(on=training, override=training)}

    @property
    def plain_feeds(self) -> dict[str, Array]:
        """Inputs with the sites switched off."""
        return {**self.model.arrays, **self.model.switch_feeds(on=False)}


class Draft(msgspec.Struct, frozen=True):
    """An artifact that is read, and not yet put into the modes of its role; `weights` are what its model refers to."""

    proto: onnx.ModelProto
    weights: tuple[Held, ...]

    @property
    def batch(self) -> int:
        """The extent of the batch in inputs that are made for it, see `batch_extent`."""
        return batch_extent(weight_elements(self.proto))


def read(content: ModelContent) -> Draft:
    """Read one artifact. Raises InvalidModel."""
    model, held = parse_content(content)
    settle_defaults(model)
    give_back_overridable(model)
    weights = (*held, *with_weights_held(model))
    draft = Draft(proto=with_float_edges(without_silent_draws(name_nodes(model))), weights=weights)
    if weight_bytes(weights) >= LARGE_WEIGHTS:
        # The message that the file was parsed into had them too.
        del model
        give_back_freed_memory()
    return draft


def own_switches(sites: Iterable[GraphSite]) -> dict[str, Positions]:
    """Return the graph inputs that are the training mode of a Dropout."""
    return {site.switch_input: ON for site in sites if site.switch_input is not None}


def is_active(site: GraphSite, role: Role) -> bool:
    """Whether a site drops in a role.

    Trained with, a switch is fed True and a default is overridden; at inference a switch is fed False and a default
    is left as it is. A frozen mask drops in every role.
    """
    if site.switch in (Switch.ON, Switch.COMPUTED):
        return True
    if role is Role.INFERENCE:
        return site.switch is Switch.DEFAULT and site.default_on
    return site.switch in (Switch.INPUT, Switch.DEFAULT)


def is_frozen(site: GraphSite) -> bool:
    """Whether a site's mask is a constant."""
    return site.implementation is Implementation.CONSTANT_MASK
