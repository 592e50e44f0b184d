"""Which tensors of a graph are noise, which are masked data, and which draw they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import onnx
from msgspec.structs import replace

from dropaudit.graph.draws.noise_algebra import (
    MOVES,
    PARTS,
    Blend,
    Data,
    Fill,
    Jittered,
    Line,
    Masked,
    Mixed,
    Noise,
    Normal,
    TwoPoint,
    Uniform,
    Value,
    step,
)
from dropaudit.graph.reading.constants import values_of
from dropaudit.graph.reading.dropout_operator import ratio_of, switch_of
from dropaudit.graph.reading.random_types import NORMAL, UNIFORM
from dropaudit.graph.reading.scope import Scope, carried_positions
from dropaudit.graph.reading.traversal import walk
from dropaudit.graph.site import Switch
from dropaudit.report import Implementation

IMPLEMENTATIONS = {
    "Dropout": Implementation.DROPOUT_OP,
    **dict.fromkeys(UNIFORM, Implementation.UNIFORM_CHAIN),
    **dict.fromkeys(NORMAL, Implementation.NORMAL),
    "Bernoulli": Implementation.BERNOULLI,
    "Multinomial": Implementation.MULTINOMIAL,
}


# Operators that mix the elements of what they read.
_MIXING = frozenset({"MatMul", "Gemm", "Einsum", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN"})


class Origin(msgspec.Struct, frozen=True):
    """Where a draw comes from.

    Attributes:
        maker: node that draws.
        switch: what decides whether it draws; see GraphSite for `switch_input`, `default_on` and `ratio_input`.
    """

    implementation: Implementation
    maker: str
    switch: Switch = Switch.ON
    switch_input: str | None = None
    default_on: bool = False
    ratio_input: str | None = None


class NoiseMap(msgspec.Struct, frozen=True):
    """The random tensors of one scope.

    Attributes:
        values: by tensor; captured tensors of enclosing scopes included.
        origins: by the name of a draw.
    """

    scope: Scope
    values: dict[str, Value]
    origins: dict[str, Origin]

    def value(self, name: str) -> Value:
        """Return what a tensor is."""
        return self.values.get(name) or Data(name)

    def is_noise(self, name: str, draw: str | None = None) -> bool:
        """Whether a tensor holds noise and no data; with `draw`, noise of that draw."""
        found = self.values.get(name)
        return isinstance(found, Uniform | Normal | TwoPoint) and draw in (None, found.draw)


def noise_maps(scopes: Iterable[Scope]) -> Iterator[NoiseMap]:
    """Read scope after scope, outside in."""
    known: dict[tuple[str, ...], NoiseMap] = {}
    for scope in scopes:
        outer = known.get(scope.outer.path) if scope.outer is not None else None
        found = _read(scope, outer)
        known[scope.path] = found
        yield found


def _read(scope: Scope, outer: NoiseMap | None) -> NoiseMap:
    noise = NoiseMap(scope, _seen_from_inside(scope, outer), dict(outer.origins) if outer else {})
    for name in scope.constants:
        number = scope.scalar(name)
        if number is not None:
            noise.values[name] = Fill(number)
        else:
            noise.values.pop(name, None)
    for node in scope.graph.node:
        _follow(noise, node)
    return noise


def _seen_from_inside(scope: Scope, outer: NoiseMap | None) -> dict[str, Value]:
    """Return what a body sees: captured noise, noise that it scans over, noise that it carries unchanged."""
    if outer is None:
        return {}
    # Inside a body, masked data of the outside is plain data.
    seen: dict[str, Value] = {
        name: value for name, value in outer.values.items() if not isinstance(value, Masked | Jittered)
    }
    for outside, inside, carried, unchanged in body_inputs(scope):
        value = outer.value(outside)
        if unchanged and not isinstance(value, Data | Masked | Jittered):
            seen[inside] = value
        elif isinstance(value, Uniform | Normal | TwoPoint) and not carried:
            seen[inside] = _redrawn(value, inside)
            _adopt(outer.origins, value.draw, inside)
        else:
            seen.pop(inside, None)
    return seen


def body_inputs(scope: Scope) -> Iterator[tuple[str, str, bool, bool]]:
    """Yield each input of a Scan or Loop body: outside, inside, whether it is carried, whether it never changes."""
    node = scope.owner
    if node is None or node.op_type not in ("Scan", "Loop"):
        return
    carried = carried_positions(node, scope.graph)
    for position, (outside, value) in enumerate(zip(node.input, scope.graph.input, strict=False)):
        if position in carried:
            returned = scope.graph.output[carried[position]].name
            yield outside, value.name, True, _back_through_identity(scope, returned) == value.name
        else:
            yield outside, value.name, False, False


def _back_through_identity(scope: Scope, name: str) -> str:
    while name in scope.producers and scope.producers[name].op_type == "Identity":
        name = scope.producers[name].input[0]
    return name


def _follow(noise: NoiseMap, node: onnx.NodeProto) -> None:
    if node.op_type == "Dropout":
        _dropout(noise, node)
        return
    value = _started(noise, node)
    if value is None and node.op_type in PARTS:
        _part(noise, node)
        return
    if value is None:
        value = _stepped(noise, node)
    if value is not None and node.output:
        noise.values[node.output[0]] = value


def _stepped(noise: NoiseMap, node: onnx.NodeProto) -> Value | None:
    """Follow one operator; data that was masked by another draw counts as plain data."""
    if not node.input:
        return None
    operands = tuple(_plain(noise.value(name), name) for name in node.input)
    if not any(isinstance(value, Fill | Noise | Mixed) for value in operands):
        return None
    found = step(node.op_type, operands)
    if found is None and any(isinstance(value, Masked | Jittered) for value in operands):
        plain = zip(node.input, operands, strict=True)
        found = step(node.op_type, tuple(Data(n) if isinstance(v, Masked | Jittered) else v for n, v in plain))
    return found


def _plain(value: Value, name: str) -> Value:
    """A choice between two tensors of data is data for its readers."""
    return Data(name) if isinstance(value, Blend) else value


def _started(noise: NoiseMap, node: onnx.NodeProto) -> Value | None:
    numbers = {attribute.name: attribute.f for attribute in node.attribute}
    if node.op_type == "ConstantOfShape":
        return Fill(_fill_of(node))
    if node.op_type not in IMPLEMENTATIONS or node.op_type in ("Dropout", "Multinomial"):
        return None
    draw = node.output[0]
    noise.origins[draw] = Origin(IMPLEMENTATIONS[node.op_type], node.name)
    if node.op_type in UNIFORM:
        low, high = numbers.get("low", 0.0), numbers.get("high", 1.0)
        return Uniform(draw, low, high) if low < high else None
    if node.op_type in NORMAL:
        return Normal(draw, numbers.get("mean", 0.0), numbers.get("scale", 1.0))
    chance = noise.value(node.input[0])
    return TwoPoint(draw, chance.value) if isinstance(chance, Fill) else None


def _fill_of(node: onnx.NodeProto) -> float:
    for attribute in node.attribute:
        if attribute.name == "value":
            return float(values_of(attribute.t).reshape(-1)[0])
    return 0.0


def _dropout(noise: NoiseMap, node: onnx.NodeProto) -> None:
    """A Dropout of data masks it; a Dropout of a constant makes a mask, and so does one whose mask alone is read."""
    switch, switch_input, default_on = switch_of(noise.scope, node)
    ratio = ratio_of(noise.scope, node)
    data, draw = noise.value(node.input[0]), node.output[0]
    if switch is Switch.OFF or ratio is None or not 0 < ratio < 1:
        if switch is Switch.OFF and isinstance(data, Fill):
            noise.values[draw] = data
        return
    ratio_input = node.input[1] if len(node.input) > 1 and node.input[1] in noise.scope.inputs else None
    origin = Origin(Implementation.DROPOUT_OP, node.name, switch, switch_input, default_on, ratio_input)
    noise.origins[draw] = origin
    keep_prob = 1 - ratio
    if _is_read_for_its_mask(noise.scope, node):
        noise.values[node.output[1]] = TwoPoint(draw, keep_prob)
        return
    if isinstance(data, Fill) and not _is_looked_up(noise.scope, draw):
        noise.values[draw] = TwoPoint(draw, keep_prob, data.value / keep_prob, 0.0)
    else:
        noise.values[draw] = Masked(draw, keep_prob, node.input[0], Line(1 / keep_prob, 0.0), Line(0.0, 0.0))
    if len(node.output) > 1 and node.output[1]:
        noise.values[node.output[1]] = TwoPoint(draw, keep_prob)


def _is_read_for_its_mask(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a Dropout drops nothing itself: what it made of its data is not read, and its mask is."""
    data, mask = node.output[0], node.output[1] if len(node.output) > 1 else ""
    return mask in scope.consumers and data not in scope.consumers and data not in scope.outputs


def _is_looked_up(scope: Scope, name: str) -> bool:
    """Whether a dropped constant is used as weights or a table, and not element by element as a mask is."""

    def moved(name: str) -> list[str]:
        return [node.output[0] for node in scope.consumers.get(name, []) if _moves(node, name)]

    return any(_is_used_whole(scope, each) for each in walk([name], moved))


def _is_used_whole(scope: Scope, name: str) -> bool:
    readers = scope.consumers.get(name, [])
    whole = (node.op_type in _MIXING or (node.op_type == "Gather" and node.input[0] == name) for node in readers)
    return name in scope.outputs or not readers or any(whole)


def _moves(node: onnx.NodeProto, name: str) -> bool:
    return node.op_type in MOVES and node.input[0] == name


def _part(noise: NoiseMap, node: onnx.NodeProto) -> None:
    """A part of a mask is a mask of its own; so is each output of a Split."""
    value = noise.value(node.input[0]) if node.input else Data("")
    if isinstance(value, Fill) and node.op_type != "Concat":
        noise.values.update(dict.fromkeys(node.output, value))
    if not isinstance(value, Uniform | Normal | TwoPoint) or node.op_type == "Concat":
        return
    for name in node.output:
        noise.values[name] = _redrawn(value, name)
        _adopt(noise.origins, value.draw, name)


def _redrawn(value: Noise, draw: str) -> Noise:
    return replace(value, draw=draw)


def _adopt(origins: dict[str, Origin], draw: str, part: str) -> None:
    origins[part] = origins[draw]
