"""Graph inputs that decide a truth value of the graph: a training mode, or which branch is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace
from numpy.typing import NDArray

from dropaudit.graph.reading.constants import Constants, known_with, scalar, values_of
from dropaudit.graph.reading.scope import Scope, main_scope
from dropaudit.graph.reading.traversal import marks_before, once_for_each_scope
from dropaudit.graph.site import GraphSite, Switch

# Inputs that are tried together: their values are tried in all combinations.
_MOST_TOGETHER = 4


class Decider(msgspec.Struct, frozen=True):
    """A graph input that decides, or several that do together.

    Attributes:
        name: the input, the first of several.
        value: what makes the tensor true, as a truth value or as 1 and 0.
        default: what its default makes of the tensor; None where it has no default.
        others: of several inputs the others, each with its value.
    """

    name: str
    value: bool
    default: bool | None
    others: tuple[tuple[str, bool], ...] = ()

    def values_for(self, truth: bool) -> dict[str, bool]:
        """Return the values of its inputs that make the tensor `truth`."""
        return {name: value is truth for name, value in ((self.name, self.value), *self.others)}


def take_in(switches: dict[str, bool], decider: Decider, truth: bool) -> None:
    """Add the values of inputs that make a tensor `truth`; what decides by itself goes before what others help."""
    values = decider.values_for(truth)
    known = switches if decider.others else {}
    switches |= {name: value for name, value in values.items() if name not in known}


def decider_of(scope: Scope, name: str) -> Decider | None:
    """Return the scalar input that decides a tensor of the main graph, or those that do together; None of none.

    Not(training) -> inference ; Not(inference) -> mode      is decided by `training`, and true where that is

    Args:
        scope: the main graph.
        name: a tensor that holds one truth value.
    """
    read, known = {}, _inputs_read(scope).get(name, 0)
    for position, value in enumerate(scope.graph.input):
        if value.name != name and not known >> position & 1:
            continue
        array = _scalar_of(value)
        if array is None:
            continue
        if array.dtype.kind != "f":  # a number that is compared with a bound may be data elsewhere
            read[value.name] = array
        found = {truth: _value_with(scope, name, {value.name: np.full_like(array, truth)}) for truth in (True, False)}
        if found[True] is not None and found[False] is not None and found[True] != found[False]:
            return Decider(value.name, bool(found[True]), _by_default(scope, name, [value.name]))
    return _decided_together(scope, name, read) if 1 < len(read) <= _MOST_TOGETHER else None


def _decided_together(scope: Scope, name: str, read: Mapping[str, NDArray[Any]]) -> Decider | None:
    """Return inputs that make a tensor true with certain values, and false where each has the other one.

    And(training, dropping) -> on      is true where both are, and false where neither is
    """
    for chosen in product((True, False), repeat=len(read)):
        tried = [[value is truth for value in chosen] for truth in (True, False)]
        fed = [
            {each: np.full_like(read[each], value) for each, value in zip(read, values, strict=True)}
            for values in tried
        ]
        if [_value_with(scope, name, values) for values in fed] == [True, False]:
            (first, value), *others = zip(read, chosen, strict=True)
            return Decider(first, value, _by_default(scope, name, [*read]), tuple(others))
    return None


def _with_all(scope: Scope, name: str, read: Mapping[str, NDArray[Any]], values: Mapping[str, bool]) -> bool | None:
    return _value_with(scope, name, {each: np.full_like(read[each], value) for each, value in values.items()})


def _by_default(scope: Scope, name: str, inputs: Sequence[str]) -> bool | None:
    """Return what the defaults of inputs make of a tensor; None where one of them has none."""
    defaults = {each.name: values_of(each) for each in scope.graph.initializer if each.name in inputs}
    return _value_with(scope, name, defaults) if len(defaults) == len(inputs) else None


def with_deciders(model: onnx.ModelProto, sites: Iterable[GraphSite]) -> tuple[tuple[GraphSite, ...], dict[str, bool]]:
    """Return sites whose computed training mode an input decides as switched by it, and the values that do so."""
    sites = tuple(sites)
    if not any(site.switch is Switch.COMPUTED for site in sites):
        return sites, {}
    scope = main_scope(model)
    found: list[GraphSite] = []
    switches: dict[str, bool] = {}
    for site in sites:
        decider = _decider_of_site(scope, site) if site.switch is Switch.COMPUTED else None
        if decider is None:
            found.append(site)
            continue
        take_in(switches, decider, truth=True)
        kind = Switch.INPUT if decider.default is None else Switch.DEFAULT
        found.append(replace(site, switch=kind, switch_input=decider.name, default_on=bool(decider.default)))
    return tuple(found), switches


def mode_of(scope: Scope, site: GraphSite) -> str | None:
    """Return the tensor of the main graph that holds a Dropout's training mode; None where a body makes it."""
    node = _nodes(scope).get(site.maker)
    if node is None or len(node.input) < 3:
        return None
    return node.input[2] or None


def _decider_of_site(scope: Scope, site: GraphSite) -> Decider | None:
    name = mode_of(scope, site) if not site.path else None
    return None if name is None else decider_of(scope, name)


@once_for_each_scope
def _nodes(scope: Scope) -> dict[str, onnx.NodeProto]:
    return {node.name: node for node in scope.graph.node}


@once_for_each_scope
def _inputs_read(scope: Scope) -> dict[str, int]:
    """Return, by tensor, the graph inputs that the nodes before it read, as bits at their positions."""
    bits = {value.name: 1 << position for position, value in enumerate(scope.graph.input)}
    return marks_before(scope, lambda node: sum(bits[name] for name in {*node.input} & bits.keys()))


@once_for_each_scope
def _known_with_inputs(_: Scope) -> dict[frozenset[tuple[str, bytes]], Constants]:
    """Return where it is kept what becomes known with values of inputs: there are few, and many ask for them."""
    return {}


def _scalar_of(value: onnx.ValueInfoProto) -> NDArray[Any] | None:
    tensor = value.type.tensor_type
    if any(dim.dim_value != 1 for dim in tensor.shape.dim):
        return None
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type or onnx.TensorProto.FLOAT))
    return np.zeros([1] * len(tensor.shape.dim), dtype=dtype) if dtype.kind in "bifu" else None


def _value_with(scope: Scope, name: str, fed: Mapping[str, NDArray[Any]]) -> bool | None:
    if name in fed:
        return bool(fed[name].reshape(-1)[0])
    kept, key = _known_with_inputs(scope), frozenset((source, value.tobytes()) for source, value in fed.items())
    if key not in kept:
        kept[key] = known_with(fed, scope.constants, scope.consumers, scope.opset)
    number = scalar(kept[key].get(name, scope.constants.get(name)))
    return None if number is None else bool(number)
