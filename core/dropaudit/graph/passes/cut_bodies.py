"""A pass that leaves in the body of a Scan or Loop only what randomness reaches.

What the body computes without it is the same in every replicate: it is read once, step by step, and given to the body.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import PREFIX
from dropaudit.graph.reading.scope import bodies_of, carried_positions, reads
from dropaudit.graph.reading.traversal import walk

FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})
# Without one of these nothing is saved.
_WORTHY = frozenset({"MatMul", "Gemm", "Conv", "Einsum", "LSTM", "GRU", "RNN"})
_STEPPED = ("Scan", "Loop")


class Narrowing(msgspec.Struct, frozen=True):
    """The remainder of one Scan or Loop.

    Attributes:
        step: the body's step in a path, `node:attribute`.
        known: tensors of the body that come from outside, each step's along a first axis; described by element type
            and number of axes.
        kept: positions of the outputs of the operator that it still makes.
    """

    step: str
    known: tuple[onnx.ValueInfoProto, ...]
    kept: tuple[int, ...]

    @property
    def names(self) -> dict[str, str]:
        """Names of the known tensors in the body, by those that they have outside."""
        return {f"{PREFIX}{self.step}/{value.name}": value.name for value in self.known}


def body_of(node: onnx.NodeProto) -> tuple[str, onnx.GraphProto] | None:
    """Return the body of a Scan or Loop with its step in a path; None for other operators."""
    return bodies_of(node)[0] if node.op_type in _STEPPED else None


def reached_outputs(node: onnx.NodeProto, body: onnx.GraphProto, inner: Collection[str] | None) -> set[str]:
    """Return the outputs of a Scan or Loop that randomness reaches, by what it reaches in the body; None for all."""
    outputs = zip(node.output, _results(node, body), strict=False)
    return {outer for outer, result in outputs if outer and (inner is None or result.name in inner)}


def narrowing(
    node: onnx.NodeProto,
    inner: Collection[str],
    constants: Collection[str],
    values: Mapping[str, onnx.ValueInfoProto],
) -> Narrowing | None:
    """Return what can be left out of the body of a Scan or Loop; None where nothing is gained.

    Args:
        node: the operator.
        inner: tensors of its body that randomness reaches.
        constants: tensors whose value is known without a run.
        values: descriptions of the body's tensors, as far as they can be inferred.
    """
    step, body = bodies_of(node)[0]
    results = [value.name for value in _results(node, body)]
    outputs = enumerate(zip(node.output, results, strict=False))
    kept = tuple(place for place, (outer, name) in outputs if outer and name in inner)
    made = {name for each in body.node for name in each.output}
    carried = [body.input[place].name for place in carried_positions(node, body)]
    unreached = (made | set(carried)) - set(inner) - set(constants)
    stops = {name for name in unreached if name in values and elem_type(values[name]) in FLOATS}
    part = _Part(node, body, stops, kept)
    in_order = (*carried, *(name for each in body.node for name in each.output))
    known = tuple(_loosely(values[name]) for name in in_order if name in part.stopped)
    left_out = [each for each in body.node if each.name not in part.nodes]
    if not kept or not known or not any(each.op_type in _WORTHY for each in left_out):
        return None
    return Narrowing(step, known, kept)


def narrowed(node: onnx.NodeProto, found: Narrowing) -> onnx.NodeProto:
    """Return a Scan or Loop that makes the outputs that are kept, and takes from outside what is known."""
    body = bodies_of(node)[0][1]
    outputs = [place for place in found.kept if place < len(node.output)]
    part = _Part(node, body, set(found.names.values()), outputs)
    return (
        _scan(node, body, part, found, outputs) if node.op_type == "Scan" else _loop(node, body, part, found, outputs)
    )


class _Part:
    """The part of a body between known tensors and kept outputs.

    Attributes:
        nodes: names of the nodes.
        read: tensors that they read.
        stopped: known tensors that they read.
        states: positions of the body's inputs that stay carried from step to step.
    """

    def __init__(
        self, node: onnx.NodeProto, body: onnx.GraphProto, stops: Collection[str], kept: Sequence[int]
    ) -> None:
        producers = {name: each for each in body.node for name in each.output if name}
        carried = carried_positions(node, body)
        places = {body.input[place].name: place for place in carried}
        results = [value.name for value in _results(node, body)]
        wanted = [results[place] for place in kept]
        if node.op_type == "Loop":
            wanted.append(body.output[0].name)

        def before(name: str) -> Sequence[str]:
            if name in stops:
                return ()
            if name in producers:
                return reads(producers[name])
            return [body.output[carried[places[name]]].name] if name in places else ()

        self.read = set(walk(wanted, before))
        self.stopped = self.read & set(stops)
        passed = self.read - self.stopped
        self.nodes = {producers[name].name for name in passed if name in producers}
        # A state that comes out of the operator stays a state.
        offset = len(body.output) - len(results)
        comes_out = {place + offset for place in kept}
        self.states = {place for place, result in carried.items() if result in comes_out}
        self.states |= {places[name] for name in passed if name in places}


def reached_inside(
    node: onnx.NodeProto, body: onnx.GraphProto, outside: Collection[str], draws: Collection[str]
) -> set[str] | None:
    """Return the tensors of a body that randomness reaches; None where it says how many steps there are.

    Args:
        node: a Scan or Loop.
        body: its body.
        outside: tensors around it that randomness reaches.
        draws: names of the nodes of its body that draw.
    """
    if node.op_type == "Loop" and any(name in outside for name in node.input[:2]):
        return None
    fed = zip(node.input, body.input, strict=False)
    reached = {inner.name for outer, inner in fed if outer in outside}
    own = {value.name for value in body.input} | {name for each in body.node for name in each.output}
    captured = set(outside) - own
    drawn = {name for each in body.node if each.name in draws for name in each.output if name}
    steps = _steps_of(node, body)
    reached = set(walk(reached | captured | drawn, lambda name: steps.get(name, ()))) - captured
    if node.op_type == "Loop" and body.output[0].name in reached:
        return None
    return reached


def _steps_of(node: onnx.NodeProto, body: onnx.GraphProto) -> dict[str, list[str]]:
    """Return, by tensor of a body, the tensors that are made of it: in the same step, or carried on to the next."""
    found: dict[str, list[str]] = {}
    for each in body.node:
        for name in reads(each):
            found.setdefault(name, []).extend(output for output in each.output if output)
    for place, result in carried_positions(node, body).items():
        found.setdefault(body.output[result].name, []).append(body.input[place].name)
    return found


def _results(node: onnx.NodeProto, body: onnx.GraphProto) -> Sequence[onnx.ValueInfoProto]:
    """Return the outputs of a body that become outputs of its operator: a Loop's condition does not."""
    return list(body.output)[1:] if node.op_type == "Loop" else list(body.output)


def elem_type(value: onnx.ValueInfoProto) -> int:
    """Return the element type of a tensor."""
    return int(value.type.tensor_type.elem_type)


def _loosely(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """Describe a tensor by element type and number of axes: a Scan wants to know as much, and extents may change."""
    shape = value.type.tensor_type.shape
    axes = [None] * len(shape.dim) if value.type.tensor_type.HasField("shape") else None
    return helper.make_tensor_value_info(value.name, elem_type(value), axes)


def _scan(
    node: onnx.NodeProto, body: onnx.GraphProto, part: _Part, found: Narrowing, outputs: Sequence[int]
) -> onnx.NodeProto:
    carried = carried_positions(node, body)
    states = sorted(part.states)
    scanned = [place for place in range(len(carried), len(body.input)) if body.input[place].name in part.read]
    collected = [place for place in outputs if place >= len(carried)]
    attributes: dict[str, Any] = {
        "num_scan_inputs": len(scanned) + len(found.known),
        **_chosen(node, "scan_input", [place - len(carried) for place in scanned], len(found.known)),
        **_chosen(node, "scan_output", [place - len(carried) for place in collected], 0),
    }
    inner = _body(
        body,
        part,
        [*(body.input[place] for place in (*states, *scanned)), *found.known],
        [body.output[place] for place in (*states, *collected)],
        [],
    )
    inputs = [*(node.input[place] for place in (*states, *scanned)), *found.names]
    return helper.make_node(
        "Scan", inputs, _names(node, found, states, collected), name=node.name, body=inner, **attributes
    )


def _loop(
    node: onnx.NodeProto, body: onnx.GraphProto, part: _Part, found: Narrowing, outputs: Sequence[int]
) -> onnx.NodeProto:
    states = sorted(part.states)
    collected = [place for place in outputs if place >= len(carried_positions(node, body))]
    step = body.input[0].name
    taken = [
        helper.make_node("Gather", [outer, step], [name], name=f"{PREFIX}step/{name}", axis=0)
        for outer, name in found.names.items()
    ]
    inner = _body(
        body,
        part,
        [*body.input[:2], *(body.input[place] for place in states)],
        [
            body.output[0],
            *(body.output[place - 1] for place in states),
            *(body.output[place + 1] for place in collected),
        ],
        taken,
    )
    inputs = [*node.input[:2], *(node.input[place] for place in states)]
    return helper.make_node(
        "Loop", inputs, _names(node, found, [place - 2 for place in states], collected), name=node.name, body=inner
    )


def _names(node: onnx.NodeProto, found: Narrowing, states: Sequence[int], collected: Sequence[int]) -> list[str]:
    """Name the outputs; a state that is carried on but known outside already gets a name that nobody reads."""
    kept = set(found.kept)
    return [
        *(node.output[place] if place in kept else f"{PREFIX}{node.name}/again/{place}" for place in states),
        *(node.output[place] for place in collected),
    ]


def _chosen(node: onnx.NodeProto, kind: str, places: Sequence[int], more: int) -> dict[str, list[int]]:
    """Return the axes and directions of some of a Scan's inputs or outputs, and of as many more on a first axis."""
    found = {}
    for attribute in node.attribute:
        if attribute.name in (f"{kind}_axes", f"{kind}_directions"):
            found[attribute.name] = [int(attribute.ints[place]) for place in places] + [0] * more
    return {name: values for name, values in found.items() if values}


def _body(
    body: onnx.GraphProto,
    part: _Part,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    first: Sequence[onnx.NodeProto],
) -> onnx.GraphProto:
    return helper.make_graph(
        [*first, *(each for each in body.node if each.name in part.nodes)],
        body.name or "part",
        inputs,
        outputs,
        [tensor for tensor in body.initializer if tensor.name in part.read],
    )
