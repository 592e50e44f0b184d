"""From a subject to a case: read, feed, and decide which branches are taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel, InvalidTensor
from dropaudit.files.model_files import ModelContent
from dropaudit.graph.conditions.choices import both_draw
from dropaudit.graph.draws.random_operators import draws_masks
from dropaudit.graph.facts.rate_inputs import rate_inputs
from dropaudit.graph.facts.unsupported import check_runnable, missing_kernels_explained
from dropaudit.graph.passes.branches import (
    branch_switches,
    decided,
    is_joined,
    open_conditions,
    with_random_branches_joined,
)
from dropaudit.graph.passes.expose import exposed
from dropaudit.graph.passes.selections import selected, selecting_conditions, selection_switches
from dropaudit.graph.reading.constants import Constants, values_of
from dropaudit.graph.reading.scope import Scope, scopes
from dropaudit.graph.reading.signature import InputSpec, signature
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites.deciders import Switches
from dropaudit.graph.sites.find import find_sites, sites_of
from dropaudit.graph.sites.mode_switches import with_deciders
from dropaudit.inputs import Feeds, checked_input, fixed_extents, make_feeds
from dropaudit.measure.branches.taken import unseen_branches, with_branches_taken
from dropaudit.measure.case import Case, Draft, Model, own_switches, read, switch_feeds
from dropaudit.measure.cases.computed_modes import with_computed_modes
from dropaudit.measure.cases.made_inputs import with_other_truths
from dropaudit.measure.finding.equal_streams import with_own_seeds
from dropaudit.measure.finding.find_by_numbers import sites_by_numbers
from dropaudit.plan import Plan, Role
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session, nodes_of_default_session
from dropaudit.subjects import Array, ArtifactSubject, Inputs, PairSubject

_USUAL_RATE = 0.5
_DEEPEST_BRANCHES = 8


def make_case(subject: ArtifactSubject | PairSubject, plan: Plan, place: Device) -> Case:
    """Read the artifacts of a subject and make what they are fed.

    Raises:
        InvalidModel: an artifact is not a model, or the runtime refuses it.
        InvalidTensor: given inputs do not fit, or the artifacts of a pair do not fit each other.
    """
    if isinstance(subject, PairSubject):
        content, role = subject.train, Role.TRAIN
    else:
        content, role = subject.model, subject.role
    draft = accepted(content, place)
    other = accepted(subject.inference, place) if isinstance(subject, PairSubject) else None
    fixed = {} if other is None else fixed_extents(draft.specs, other.specs)
    feeds, rates = _feeds(draft, role, subject.inputs, subject.keep_prob, fixed, plan, place)
    model = _model(draft, role, feeds, rates, place)
    inference = None
    if other is not None:
        inference = _model(other, Role.INFERENCE, _renamed(other, feeds, rates, plan), _neutral_rates(other), place)
    return Case(model=model, inference=inference, feeds=feeds, keep_prob=subject.keep_prob)


def check_kept_dropout(model: onnx.ModelProto, place: Device) -> None:
    """Load a model with its dropout, which a default session deletes before it looks for kernels.

    Raises InvalidModel where the runtime has none for it.
    """
    with missing_kernels_explained(model):
        Session(model, place, np.random.default_rng(0))


class Accepted(Draft, frozen=True):
    """An artifact that the runtime takes, so that its graph is well formed.

    Attributes:
        indexed: all of its graphs.
        surviving: nodes that a default session leaves of it.
        sites: its sites, whatever is fed.
        switches: graph inputs that switch sites or branches, with the values that switch them on and off.
    """

    indexed: tuple[Scope, ...]
    specs: tuple[InputSpec, ...]
    surviving: frozenset[str]
    sites: tuple[GraphSite, ...]
    switches: Switches


def accepted(content: ModelContent, place: Device) -> Accepted:
    draft = read(content)
    indexed = tuple(scopes(draft.proto))
    check_runnable(indexed)
    with missing_kernels_explained(draft.proto):
        surviving = nodes_of_default_session(draft.proto, place)
    sites = sites_of(indexed)
    known = own_switches(sites)
    known = selection_switches(draft.proto, known) | known
    known = branch_switches(draft.proto, sites, known) | known
    sites, decided_by = with_deciders(draft.proto, sites, known)
    switches = {**known, **decided_by}
    return Accepted(draft.proto, draft.weights, indexed, signature(indexed[0]), surviving, sites, switches)


def _feeds(
    draft: Accepted,
    role: Role,
    inputs: Inputs | None,
    keep_prob: float | None,
    fixed: Mapping[str, int],
    plan: Plan,
    place: Device,
) -> tuple[Feeds, Constants]:
    switches = frozenset(draft.switches)
    wanted = _rates(draft, role, inputs or {}, keep_prob)
    rng = np.random.default_rng(plan.seed)
    feeds = make_feeds(draft.specs, inputs, switches, wanted, rng, batch=draft.batch, fixed=fixed)
    feeds = with_other_truths(draft.proto, draft.specs, draft.switches, feeds, place)
    training = role is not Role.INFERENCE
    switched = switch_feeds(draft.specs, draft.switches, on=training)
    feeds = with_branches_taken(draft.proto, draft.switches, feeds, switched, place, training=training)
    names = rate_inputs(draft.proto)
    return feeds, {name: value for name, value in feeds.arrays.items() if name in names}


def _rates(draft: Accepted, role: Role, inputs: Inputs, keep_prob: float | None) -> dict[str, float]:
    """Choose values for inputs that say how much is dropped, where the caller gives none.

    At inference a default stays, and what has none is fed so that nothing is dropped. Otherwise a default that drops
    something stays, and the others drop as much as the caller declares, or half.
    """
    defaults = {tensor.name: values_of(tensor) for tensor in draft.proto.graph.initializer}
    chosen = {}
    for name, neutral in rate_inputs(draft.proto).items():
        if name in inputs:
            continue
        default = float(defaults[name].reshape(-1)[0]) if name in defaults else None
        if role is Role.INFERENCE:
            chosen[name] = neutral if default is None else default
        elif default is not None and 0 < default < 1:
            chosen[name] = default
        elif keep_prob is not None:
            chosen[name] = keep_prob if neutral else 1 - keep_prob
        else:
            chosen[name] = _USUAL_RATE
    return chosen


def _neutral_rates(draft: Accepted) -> dict[str, float]:
    return _rates(draft, Role.INFERENCE, {}, None)


def _model(draft: Accepted, role: Role, feeds: Feeds, rates: Mapping[str, float | Array], place: Device) -> Model:
    known = {name: np.asarray(value, dtype=np.float32) for name, value in rates.items()}
    model = Model(
        untouched=draft.proto,
        proto=draft.proto,
        plain=draft.proto,
        sites=(),
        plain_sites=(),
        role=role,
        specs=draft.specs,
        switches=draft.switches,
        rates=known,
        arrays=feeds.arrays,
        surviving=draft.surviving,
        weights=draft.weights,
        indexed=draft.indexed,
    )
    training = role is not Role.INFERENCE
    proto = _taken(model, {**feeds.arrays, **model.switch_feeds(training, override=training)}, place)
    plain = (
        _taken(model, {**feeds.arrays, **model.switch_feeds(on=False)}, place) if proto is not draft.proto else proto
    )
    found = draft.sites if proto is draft.proto and not known else None
    fed = {**feeds.arrays, **model.switch_feeds(training, override=training)}
    masks = draws_masks(draft.indexed if proto is draft.proto else scopes(proto))
    if masks:
        own = with_own_seeds(proto, fed, place, np.random.default_rng(0))
        proto, plain = own, own if plain is proto else plain
    sites = _sites(proto, known, fed, place, found, masks=masks)
    plain_fed = {**feeds.arrays, **model.switch_feeds(on=False)}
    plain_sites = sites
    if plain is not proto:
        plain_sites = _sites(plain, known, plain_fed, place, None, masks=draws_masks(scopes(plain)))
    left_out = unseen_branches(draft.proto, draft.switches, fed, place, training=training)
    unseen = tuple(branch for branch in left_out if not is_joined(proto, branch.name))
    return replace(model, proto=proto, plain=plain, sites=sites, plain_sites=plain_sites, unseen=unseen)


def _sites(
    proto: onnx.ModelProto,
    known: Constants,
    feeds: dict[str, Array],
    place: Device,
    by_algebra: tuple[GraphSite, ...] | None,
    *,
    masks: bool,
) -> tuple[GraphSite, ...]:
    """Return the sites of a model, by numbers where more than Dropout operators on data draws, as `masks` says."""
    if masks:
        found = sites_by_numbers(proto, known, feeds, place, np.random.default_rng(0))
    else:
        found = find_sites(proto, known) if by_algebra is None else by_algebra
    found, _ = with_deciders(proto, found)
    return with_computed_modes(proto, found, feeds, place)


def _taken(model: Model, feeds: dict[str, Array], place: Device) -> onnx.ModelProto:
    """Put in the branches and tensors that a model takes when it is fed so.

    Of branches taken at random, and of those that both draw, both.
    """
    proto = _with_branches_joined(model.untouched, both_draw(model.untouched, model.switches), feeds, place)
    for _ in range(_DEEPEST_BRANCHES):
        conditions = (*open_conditions(proto), *selecting_conditions(proto))
        if not conditions:
            break
        probed, names = exposed(proto, [((), name) for name in conditions])
        session = Session(probed, place, np.random.default_rng(0))
        found = session.run(feeds, tuple(names.values()))
        truths = {name: bool(np.all(found[names[((), name)]])) for name in conditions}
        proto = selected(decided(proto, truths), truths)
    return proto


def _with_branches_joined(
    proto: onnx.ModelProto, also: Collection[str], feeds: dict[str, Array], place: Device
) -> onnx.ModelProto:
    joined = with_random_branches_joined(proto, also)
    if joined is proto:
        return proto
    try:
        session = Session(joined, place, np.random.default_rng(0))
        session.run(feeds, session.output_names)
    except (ExecutionFailed, InvalidModel):
        # Results of other types, or of other shapes in each branch.
        return proto
    return joined


def _renamed(inference: Accepted, feeds: Feeds, train_rates: Constants, plan: Plan) -> Feeds:
    """Feed an inference artifact what the train artifact gets.

    By name; by position where no name is known and the counts are equal. What the train artifact does not take is
    made up.
    """
    switches, rates = inference.switches, _neutral_rates(inference)
    wanted = [spec for spec in inference.specs if spec.name not in switches and spec.name not in rates]
    given = {name: value for name, value in feeds.arrays.items() if name not in train_rates}
    known = {spec.name: given[spec.name] for spec in wanted if spec.name in given}
    if not known and len(wanted) == len(given):
        known = {spec.name: value for spec, value in zip(wanted, given.values(), strict=True)}
    elif not known and wanted and given:
        raise InvalidTensor(
            "the two artifacts of the pair have no input in common: "
            f"{sorted(given)} and {sorted(spec.name for spec in wanted)}; give the inputs one name"
        )
    arrays = {spec.name: checked_input(spec, known[spec.name]) for spec in wanted if spec.name in known}
    rng = np.random.default_rng(plan.seed)
    made = make_feeds(inference.specs, arrays, frozenset(switches), rates, rng, batch=inference.batch)
    return Feeds(arrays=made.arrays, synthesized=frozenset(), batch_axes=())
