"""Walks through a graph, from tensors to those they are made of or to those made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

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


def ancestors(scope: Scope, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that a tensor depends on."""
    nodes = (scope.producers.get(each) for each in upstream(scope.producers.get, [name]))
    return _each_once(node for node in nodes if node is not None)


def descendants(scope: Scope, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that depend on a tensor."""
    return readers_of(scope, downstream(scope.consumers, [name]))


def readers_of(scope: Scope, names: Iterable[str]) -> list[onnx.NodeProto]:
    """Return the nodes that read any of some tensors."""
    return _each_once(node for name in names for node in scope.consumers.get(name, ()))


def _each_once(nodes: Iterable[onnx.NodeProto]) -> list[onnx.NodeProto]:
    return list({node.name: node for node in nodes}.values())
