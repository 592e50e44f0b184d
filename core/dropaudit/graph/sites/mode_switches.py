"""Graph inputs that decide a truth value of the graph: a training mode, or which branch is taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace
from numpy.typing import NDArray

from dropaudit.graph.reading.constants import constants_of, scalar, values_of
from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.graph.reading.traversal import ancestors
from dropaudit.graph.site import GraphSite, Switch


class Decider(msgspec.Struct, frozen=True):
    """A graph input that decides.

    Attributes:
        name: the input.
        value: what makes the tensor true, as a truth value or as 1 and 0.
        default: what its default makes of the tensor; None where it has no default.
    """

    name: str
    value: bool
    default: bool | None


def decider_of(scope: Scope, name: str) -> Decider | None:
    """Return the scalar input that decides a tensor of the main graph by itself; None where there is none.

    Not(training) -> inference ; Not(inference) -> mode      is decided by `training`, and true where that is

    Args:
        scope: the main graph.
        name: a tensor that holds one truth value.
    """
    for value in scope.graph.input:
        if value.name != name and not _reads(scope, name, value.name):
            continue
        array = _scalar_of(value)
        if array is None:
            continue
        found = {truth: _value_with(scope, name, value.name, np.full_like(array, truth)) for truth in (True, False)}
        if found[True] is not None and found[False] is not None and found[True] != found[False]:
            default = next((values_of(each) for each in scope.graph.initializer if each.name == value.name), None)
            known = None if default is None else _value_with(scope, name, value.name, default)
            return Decider(value.name, bool(found[True]), known)
    return None


def with_deciders(model: onnx.ModelProto, sites: Iterable[GraphSite]) -> tuple[tuple[GraphSite, ...], dict[str, bool]]:
    """Return sites whose computed training mode an input decides as switched by it, and the values that do so."""
    sites = tuple(sites)
    if not any(site.switch is Switch.COMPUTED for site in sites):
        return sites, {}
    scope = main_scope(model)
    found, switches = [], {}
    for site in sites:
        decider = _decider_of_site(scope, site) if site.switch is Switch.COMPUTED else None
        if decider is None:
            found.append(site)
            continue
        switches[decider.name] = decider.value
        kind = Switch.INPUT if decider.default is None else Switch.DEFAULT
        found.append(replace(site, switch=kind, switch_input=decider.name, default_on=bool(decider.default)))
    return tuple(found), switches


def mode_of(scope: Scope, site: GraphSite) -> str | None:
    """Return the tensor of the main graph that holds a Dropout's training mode; None where a body makes it."""
    node = next((node for node in scope.graph.node if node.name == site.maker), None)
    if node is None or len(node.input) < 3:
        return None
    return node.input[2] or None


def _decider_of_site(scope: Scope, site: GraphSite) -> Decider | None:
    name = mode_of(scope, site) if not site.path else None
    return None if name is None else decider_of(scope, name)


def _reads(scope: Scope, name: str, source: str) -> bool:
    return any(source in node.input for node in ancestors(scope, name))


def _scalar_of(value: onnx.ValueInfoProto) -> NDArray[Any] | None:
    tensor = value.type.tensor_type
    if any(dim.dim_value != 1 for dim in tensor.shape.dim):
        return None
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type or onnx.TensorProto.FLOAT))
    return np.zeros([1] * len(tensor.shape.dim), dtype=dtype) if dtype.kind in "bifu" else None


def _value_with(scope: Scope, name: str, source: str, value: NDArray[Any]) -> bool | None:
    if name == source:
        return bool(value.reshape(-1)[0])
    number = scalar(constants_of(scope.graph, scope.opset, given={source: value}).get(name))
    return None if number is None else bool(number)
