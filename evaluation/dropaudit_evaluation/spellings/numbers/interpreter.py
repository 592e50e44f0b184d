"""A small interpreter of ONNX in numpy, over many replicates at once: no code of the audit's, and no runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from dropaudit_evaluation.spellings.numbers.elementwise import ELEMENTWISE, Attributes, attributes_of
from dropaudit_evaluation.spellings.numbers.recurrent import RECURRENT
from dropaudit_evaluation.spellings.numbers.shapes import MOVING
from dropaudit_evaluation.spellings.numbers.streams import Streams
from dropaudit_evaluation.spellings.numbers.values import Value, aligned, known, one

_Scope = dict[str, Value]
_RANDOM = frozenset(
    {
        *("RandomUniform", "RandomUniformLike", "RandomNormal", "RandomNormalLike"),
        *("Bernoulli", "Multinomial", "Dropout"),
    }
)


class Interpreter:
    """One run of a model.

    Attributes:
        watched: what each watched tensor was, turn by turn where it lies in a body.
        bypassed: what each bypassed tensor would have been.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        streams: Streams,
        watch: Sequence[str] = (),
        bypass: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            model: to run.
            streams: what its random operators draw.
            watch: tensors to remember.
            bypass: results that are replaced by the data that they were made of.
        """
        self._model = model
        self._streams = streams
        self._bypass = bypass or {}
        self._functions = {function.name: function for function in model.functions}
        self.watched: dict[str, list[Value]] = {name: [] for name in watch}
        self.bypassed: dict[str, list[Value]] = {name: [] for name in self._bypass}

    def run(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> tuple[Value, ...]:
        """Return the outputs."""
        scope = {name: one(array) for name, array in feeds.items()}
        for name, value in scope.items():
            self._watch(name, value)
        return self._graph(self._model.graph, scope)

    def _graph(self, graph: onnx.GraphProto, scope: _Scope) -> tuple[Value, ...]:
        for tensor in graph.initializer:
            # A default that an input overrides.
            if graph is self._model.graph and tensor.name in scope:
                continue
            scope[tensor.name] = one(numpy_helper.to_array(tensor))
            self._watch(tensor.name, scope[tensor.name])
        self._nodes(graph.node, scope)
        return tuple(scope[output.name] for output in graph.output)

    def _nodes(self, nodes: Sequence[onnx.NodeProto], scope: _Scope) -> None:
        for node in nodes:
            for name, value in zip(node.output, self._node(node, scope), strict=False):
                data = self._bypass.get(name)
                if data is not None:
                    self.bypassed[name].append(value)
                scope[name] = value if data is None else scope[data].astype(value.dtype)
                self._watch(name, scope[name])

    def _watch(self, name: str, value: Value) -> None:
        if name in self.watched:
            self.watched[name].append(value)

    def _node(self, node: onnx.NodeProto, scope: _Scope) -> tuple[Value, ...]:
        attributes = attributes_of(node)
        inputs = [scope[name] if name else None for name in node.input]
        if node.op_type in RECURRENT:
            return RECURRENT[node.op_type](attributes, inputs)
        given = [value for value in inputs if value is not None]
        if node.op_type in self._functions:
            return self._function(self._functions[node.op_type], given)
        if node.op_type in _RANDOM:
            return self._streams.run(node.op_type, node.output[0], attributes, given)
        if node.op_type in _BODIES:
            return _BODIES[node.op_type](self, attributes, given, scope)
        return {**ELEMENTWISE, **MOVING}[node.op_type](attributes, given)

    def _function(self, function: onnx.FunctionProto, inputs: list[Value]) -> tuple[Value, ...]:
        scope = dict(zip(function.input, inputs, strict=True))
        for name, value in scope.items():
            self._watch(name, value)
        self._nodes(function.node, scope)
        return tuple(scope[name] for name in function.output)

    def _if(self, attributes: Attributes, inputs: list[Value], scope: _Scope) -> tuple[Value, ...]:
        """Where replicates choose differently, run both branches, and choose among the results."""
        condition = inputs[0].reshape(inputs[0].shape[0])
        branches = attributes["then_branch"], attributes["else_branch"]
        if condition.shape[0] == 1:
            return self._graph(branches[0 if condition[0] else 1], dict(scope))
        results = [self._graph(branch, dict(scope)) for branch in branches]
        return tuple(
            np.where(condition.reshape(-1, *(1,) * (one_.ndim - 1)), *aligned(one_, other))
            for one_, other in zip(*results, strict=True)
        )

    def _loop(self, attributes: Attributes, inputs: list[Value], scope: _Scope) -> tuple[Value, ...]:
        """A fixed number of turns; states only."""
        body, states = attributes["body"], tuple(inputs[2:])
        going = inputs[1]
        for turn in range(int(known(inputs[0]))):
            given = (one(np.asarray(turn, np.int64)), going, *states)
            going, *rest = self._graph(body, {**scope, **self._named(body, given)})
            states = tuple(rest)
        return states

    def _scan(self, attributes: Attributes, inputs: list[Value], scope: _Scope) -> tuple[Value, ...]:
        """One sequence in, one out, along axis 1 of both."""
        body, (state, steps) = attributes["body"], inputs
        returned = []
        for moment in range(steps.shape[2]):
            given = self._named(body, (state, steps[:, :, moment]))
            state, result = self._graph(body, {**scope, **given})
            returned.append(result)
        return state, np.stack(np.broadcast_arrays(*returned), axis=2)

    def _named(self, body: onnx.GraphProto, values: Sequence[Value]) -> _Scope:
        scope = {given.name: value for given, value in zip(body.input, values, strict=True)}
        for name, value in scope.items():
            self._watch(name, value)
        return scope


_BODIES = {"If": Interpreter._if, "Loop": Interpreter._loop, "Scan": Interpreter._scan}
