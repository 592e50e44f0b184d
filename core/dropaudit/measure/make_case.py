"""From a subject to a case: read, feed, and decide which branches are taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import onnx

from dropaudit.errors import InvalidTensor
from dropaudit.graph.branches import branch_switches, decided, open_conditions
from dropaudit.graph.constants import Constants, values_of
from dropaudit.graph.expose import exposed
from dropaudit.graph.rates import rate_inputs
from dropaudit.graph.scope import main_scope
from dropaudit.graph.signature import InputSpec, signature
from dropaudit.graph.site import GraphSite
from dropaudit.graph.sites import find_sites
from dropaudit.inputs import Feeds, checked_input, make_feeds
from dropaudit.measure.case import Case, Draft, Model, own_switches, read
from dropaudit.plan import Plan, Role
from dropaudit.runtime.provider import Place
from dropaudit.runtime.session import Session, nodes_of_default_session
from dropaudit.subjects import Array, ArtifactSubject, Inputs, PairSubject

_USUAL_RATE = 0.5
_DEEPEST_BRANCHES = 8


def make_case(subject: ArtifactSubject | PairSubject, plan: Plan, place: Place) -> Case:
    """Read the artifacts of a subject and make what they are fed.

    Raises:
        InvalidModel: an artifact is no model, or the runtime refuses it.
        InvalidTensor: given inputs do not fit, or the artifacts of a pair do not fit each other.
    """
    if isinstance(subject, PairSubject):
        content, role = subject.train, Role.TRAIN
    else:
        content, role = subject.model, subject.role
    draft = _accepted(content, place)
    feeds, rates = _feeds(draft, role, subject.inputs, subject.keep_prob, plan)
    model = _model(draft, role, feeds, rates, place)
    inference = None
    if isinstance(subject, PairSubject):
        other = _accepted(subject.inference, place)
        inference = _model(other, Role.INFERENCE, _renamed(other, feeds, rates), _neutral_rates(other), place)
    return Case(model=model, inference=inference, feeds=feeds, keep_prob=subject.keep_prob)


@dataclass(frozen=True, slots=True)
class _Accepted(Draft):
    """An artifact that the runtime takes, so that its graph is well formed.

    Attributes:
        surviving: nodes that a default session leaves of it.
        sites: its sites, whatever is fed.
        switches: graph inputs that switch sites or branches, with the value that switches them on.
    """

    specs: tuple[InputSpec, ...]
    surviving: frozenset[str]
    sites: tuple[GraphSite, ...]
    switches: Mapping[str, bool]


def _accepted(content: bytes, place: Place) -> _Accepted:
    draft = read(content)
    surviving = nodes_of_default_session(draft.proto, place)
    sites = find_sites(draft.proto)
    switches = {**branch_switches(draft.proto, sites), **own_switches(sites)}
    return _Accepted(
        draft.proto, draft.artifact, draft.weights, signature(main_scope(draft.proto)), surviving, sites, switches
    )


def _feeds(
    draft: _Accepted, role: Role, inputs: Inputs | None, keep_prob: float | None, plan: Plan
) -> tuple[Feeds, Constants]:
    switches = frozenset(draft.switches)
    wanted = _rates(draft, role, inputs or {}, keep_prob)
    feeds = make_feeds(draft.specs, inputs, switches, wanted, np.random.default_rng(plan.seed))
    names = rate_inputs(draft.proto)
    return feeds, {name: value for name, value in feeds.arrays.items() if name in names}


def _rates(draft: _Accepted, role: Role, inputs: Inputs, keep_prob: float | None) -> dict[str, float]:
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


def _neutral_rates(draft: _Accepted) -> dict[str, float]:
    return _rates(draft, Role.INFERENCE, {}, None)


def _model(draft: _Accepted, role: Role, feeds: Feeds, rates: Mapping[str, float | Array], place: Place) -> Model:
    known = {name: np.asarray(value, dtype=np.float32) for name, value in rates.items()}
    model = Model(
        untouched=draft.proto,
        proto=draft.proto,
        plain=draft.proto,
        sites=(),
        plain_sites=(),
        role=role,
        artifact=draft.artifact,
        specs=draft.specs,
        switches=draft.switches,
        rates=known,
        arrays=feeds.arrays,
        surviving=draft.surviving,
        weights=draft.weights,
    )
    training = role is not Role.INFERENCE
    proto = _taken(model, {**feeds.arrays, **model.switch_feeds(training, override=training)}, place)
    plain = (
        _taken(model, {**feeds.arrays, **model.switch_feeds(on=False)}, place) if proto is not draft.proto else proto
    )
    sites = draft.sites if proto is draft.proto and not known else find_sites(proto, known)
    plain_sites = sites if plain is proto else find_sites(plain, known)
    return replace(model, proto=proto, plain=plain, sites=sites, plain_sites=plain_sites)


def _taken(model: Model, feeds: dict[str, Array], place: Place) -> onnx.ModelProto:
    """Put in the branches that a model takes when it is fed so; conditions that are random stay open."""
    proto = model.untouched
    for _ in range(_DEEPEST_BRANCHES):
        conditions = open_conditions(proto)
        if not conditions:
            break
        probed, names = exposed(proto, [((), name) for name in conditions])
        session = Session(probed, place, np.random.default_rng(0))
        found = session.run(feeds, tuple(names.values()))
        proto = decided(proto, {name: bool(np.all(found[names[((), name)]])) for name in conditions})
    return proto


def _renamed(inference: _Accepted, feeds: Feeds, train_rates: Constants) -> Feeds:
    """Feed an inference artifact what the train artifact gets: by name, or by position where names differ."""
    switches, rates = inference.switches, _neutral_rates(inference)
    wanted = [spec for spec in inference.specs if spec.name not in switches and spec.name not in rates]
    names = [spec.name for spec in wanted]
    given = {name: value for name, value in feeds.arrays.items() if name not in train_rates}
    if not set(names) <= set(given):
        if len(names) != len(given):
            raise InvalidTensor(
                f"the two artifacts of the pair take different inputs: {sorted(given)} and {sorted(names)}"
            )
        given = dict(zip(names, given.values(), strict=True))
    arrays = {spec.name: checked_input(spec, given[spec.name]) for spec in wanted}
    own = {
        spec.name: np.full([1] * len(spec.dims), rates[spec.name], spec.dtype)
        for spec in inference.specs
        if spec.name in rates
    }
    return Feeds(arrays={**arrays, **own}, synthesized=frozenset(), batch_axes=())
