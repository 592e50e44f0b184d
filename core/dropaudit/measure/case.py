"""What an artifact audit works on: the models of a subject, their sites, and which of them are active."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import onnx

from dropaudit.graph.load import parse_model
from dropaudit.graph.names import name_nodes
from dropaudit.graph.scope import Scope, main_scope
from dropaudit.graph.signature import InputSpec, signature
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.graph.sites import find_sites
from dropaudit.plan import Role
from dropaudit.report import Artifact, Implementation
from dropaudit.subjects import Array, ArtifactSubject, Inputs, PairSubject


@dataclass(frozen=True, slots=True)
class Model:
    """One artifact, read and indexed, with the role it is audited in."""

    proto: onnx.ModelProto
    scope: Scope
    sites: tuple[GraphSite, ...]
    role: Role
    artifact: Artifact

    @property
    def active(self) -> tuple[GraphSite, ...]:
        """Sites that drop when the model runs in its role."""
        return tuple(site for site in self.sites if is_active(site, self.role))

    @property
    def inert(self) -> tuple[GraphSite, ...]:
        """Sites that declare a drop rate and cannot be made to drop."""
        return tuple(site for site in self.sites if site.switch is Switch.OFF)

    @property
    def switches(self) -> frozenset[str]:
        """Graph inputs that switch sites."""
        return frozenset(site.switch_input for site in self.sites if site.switch_input is not None)

    @property
    def ratio_inputs(self) -> frozenset[str]:
        """Graph inputs that hold a drop rate."""
        return frozenset(site.ratio_input for site in self.sites if site.ratio_input is not None)

    def signature(self) -> tuple[InputSpec, ...]:
        """Return the model's inputs."""
        return signature(self.scope)


@dataclass(frozen=True, slots=True)
class Case:
    """A subject made ready: the model whose sites are measured, and the inference artifact of a pair."""

    model: Model
    inference: Model | None
    inputs: Inputs | None
    keep_prob: float | None


def make_case(subject: ArtifactSubject | PairSubject) -> Case:
    """Read the artifacts of a subject. Raises InvalidModel."""
    if isinstance(subject, PairSubject):
        train, inference = read(subject.train, Role.TRAIN), read(subject.inference, Role.INFERENCE)
        return Case(model=train, inference=inference, inputs=subject.inputs, keep_prob=subject.keep_prob)
    model = read(subject.model, subject.role)
    return Case(model=model, inference=None, inputs=subject.inputs, keep_prob=subject.keep_prob)


def read(content: bytes, role: Role) -> Model:
    """Read one artifact. Raises InvalidModel."""
    proto = name_nodes(parse_model(content))
    return Model(
        proto=proto,
        scope=main_scope(proto),
        sites=find_sites(proto),
        role=role,
        artifact=Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
    )


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


def switch_feeds(model: Model, on: bool, *, override: bool = True) -> dict[str, Array]:
    """Return what to feed the inputs that switch sites.

    Args:
        model: the model to feed.
        on: whether its sites drop.
        override: False leaves inputs that have a default alone.
    """
    return {
        spec.name: np.full([1 if isinstance(dim, str) else dim for dim in spec.dims], on, dtype=spec.dtype)
        for spec in model.signature()
        if spec.name in model.switches and (override or not spec.has_default)
    }
