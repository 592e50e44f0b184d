"""Walks through a graph, from tensors to those they are made of or to those made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

import onnx

from dropaudit.graph.reading.scope import Scope, reads

T = TypeVar("T")


def walk(starts: Iterable[T], following: Callable[[T], Iterable[T]]) -> Iterator[T]:
    """Yield everything that can be reached, the starts included, each once and depth first.

    Args:
        starts: where to begin.
        following: what is reached in one step.
    """
    waiting, seen = list(starts), set[T]()
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            yield current
            waiting += following(current)


def upstream(
    maker: Callable[[str], onnx.NodeProto | None],
    names: Iterable[str],
    *,
    stops: Callable[[str], bool] = lambda _: False,
    inputs: Callable[[onnx.NodeProto], Iterable[str]] = reads,
) -> Iterator[str]:
    """Yield tensors and all tensors that they are made of.

    Args:
        maker: returns the node that makes a tensor; None where no node does.
        names: the tensors to begin with.
        stops: whether to go no further back than a tensor, which is still yielded.
        inputs: the tensors that a node is made of; by default its inputs and what its bodies capture.
    """

    def before(name: str) -> Iterable[str]:
        node = None if stops(name) else maker(name)
        return () if node is None else inputs(node)

    return walk(names, before)


def downstream(
    readers: Mapping[str, Sequence[onnx.NodeProto]],
    names: Iterable[str],
    *,
    passes: Callable[[onnx.NodeProto, str], bool] = lambda _node, _name: True,
) -> Iterator[str]:
    """Yield tensors and all tensors that are made of them.

    Args:
        readers: the nodes that read a tensor.
        names: the tensors to begin with.
        passes: whether to go on through a node that reads a tensor, both given.
    """

    def after(name: str) -> Iterable[str]:
        return [output for node in readers.get(name, ()) if passes(node, name) for output in node.output if output]

    return walk(names, after)


def depends_on(scope: Scope, name: str, node: onnx.NodeProto) -> bool:
    """Whether a tensor depends on a node; the first question finds the answers for all tensors."""
    return bool(ancestry(scope).get(name, 0) >> positions(scope)[node.name] & 1)


def once_for_each_scope(make: Callable[[Scope], T]) -> Callable[[Scope], T]:
    """Have a function of a scope called once for each, and its result forgotten with the scope."""
    made: WeakKeyDictionary[Scope, T] = WeakKeyDictionary()

    def remembered(scope: Scope) -> T:
        if scope not in made:
            made[scope] = make(scope)
        return made[scope]

    return remembered


def marks_before(
    scope: Scope,
    mark: Callable[[onnx.NodeProto], int],
    inputs: Callable[[onnx.NodeProto], Iterable[str]] = reads,
) -> dict[str, int]:
    """Join, for each tensor that a node makes, the marks of all nodes that it depends on; one pass for all tensors.

    Args:
        scope: a graph whose nodes stand behind those that they read.
        mark: the mark of a node, as the bits of a number.
        inputs: see `upstream`.
    """
    found: dict[str, int] = {}
    for node in scope.graph.node:
        bits = mark(node)
        for name in inputs(node):
            bits |= found.get(name, 0)
        found.update(dict.fromkeys(filter(None, node.output), bits))
    return found


def marks_behind(
    scope: Scope,
    mark: Callable[[onnx.NodeProto], int],
    *,
    passes: Callable[[onnx.NodeProto, str], bool] = lambda _node, _name: True,
    own: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Join, for each tensor, the marks of all nodes that depend on it; the counterpart of `marks_before`.

    Args:
        scope: see `marks_before`.
        mark: see `marks_before`.
        passes: see `downstream`.
        own: marks of tensors themselves.
    """
    found = dict(own or {})
    for node in reversed(scope.graph.node):
        behind = 0
        for name in node.output:
            behind |= found.get(name, 0)
        for name in dict.fromkeys(reads(node)):
            bits = mark(node) | (behind if passes(node, name) else 0)
            if bits:
                found[name] = found.get(name, 0) | bits
    return found


@once_for_each_scope
def positions(scope: Scope) -> dict[str, int]:
    """Return the positions of nodes in their graph, by name."""
    return {node.name: position for position, node in enumerate(scope.graph.node)}


@once_for_each_scope
def ancestry(scope: Scope) -> dict[str, int]:
    """Return, by tensor, the nodes that it depends on, as bits at their positions."""
    places = positions(scope)
    return marks_before(scope, lambda node: 1 << places[node.name])
