"""YAML read as plain values, of which each is known by its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dropaudit.errors import UnreadableFile
from dropaudit_client.documents.problems import InvalidDocument, Problem

MOST_BYTES = 1 << 20
# Aliases let a few lines stand for billions.
MOST_NODES = 100_000

Keys = tuple[str | int, ...]
"""Keys of mappings and places in lists, from the root of a document to a value."""


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Located:
    """A document's value; `places` tells of each value where it is, of a key's where the key is."""

    name: str
    value: Any
    places: dict[Keys, Position] = field(repr=False)

    def problem(self, keys: Keys, message: str) -> Problem:
        """Return a problem with the value at these keys, or with the nearest one around it that is there."""
        known = next((keys[:end] for end in range(len(keys), -1, -1) if keys[:end] in self.places), ())
        place = self.places.get(known, Position(1, 1))
        return Problem(place.line, place.column, spelled(keys), message)


def spelled(keys: Keys) -> str:
    """Return keys as people write them: `suites.nightly.members[0].glob`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def read_located(path: Path) -> Located:
    """Read a document.

    Raises:
        UnreadableFile: the file cannot be read, or is larger than 1 MiB.
        InvalidDocument: it is not YAML, with all duplicate keys and values that cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"cannot read {path}: it is larger than {MOST_BYTES} bytes", path=str(path))
    return parse_located(content, str(path))


def parse_located(content: bytes | str, name: str) -> Located:
    """Parse a document. Raises InvalidDocument, see `read_located`."""
    reading = _Reading()
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        value = {} if node is None else reading.value(loader, node, ())
    except yaml.YAMLError as error:
        raise InvalidDocument(name, [_syntax(error)]) from error
    except RecursionError:
        raise InvalidDocument(name, [Problem(1, 1, "", "is nested too deeply")]) from None
    if reading.problems:
        raise InvalidDocument(name, reading.problems)
    return Located(name, value, reading.places)


class _Reading:
    """Turns nodes into values, and notes where they were."""

    def __init__(self) -> None:
        self.places: dict[Keys, Position] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, loader: yaml.SafeLoader, node: yaml.Node, keys: Keys) -> Any:
        self.places.setdefault(keys, _place(node))
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise yaml.MarkedYAMLError(problem="stands for too many values", problem_mark=node.start_mark)
        match node:
            case yaml.MappingNode():
                return dict(self._items(loader, node, keys))
            case yaml.SequenceNode():
                return [self.value(loader, item, (*keys, place)) for place, item in enumerate(node.value)]
        return self._scalar(loader, node, keys)

    def _items(self, loader: yaml.SafeLoader, node: yaml.MappingNode, keys: Keys) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                self._complain(key_node, (*keys, key), f"stands twice, in line {seen[key]} too")
            seen.setdefault(key, line)
        # Brings in what `<<` names; its keys come first, so that the mapping's own ones win.
        loader.flatten_mapping(node)
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, keys, "a key is a word")
                continue
            within = (*keys, key_node.value)
            self.places[within] = _place(key_node)
            yield key_node.value, self.value(loader, value_node, within)

    def _scalar(self, loader: yaml.SafeLoader, node: yaml.Node, keys: Keys) -> Any:
        try:
            return loader.construct_object(node)
        except (ValueError, yaml.constructor.ConstructorError) as error:
            problem = getattr(error, "problem", None) or error
            self._complain(node, keys, f"cannot be read: {problem}")
            return None

    def _complain(self, node: yaml.Node, keys: Keys, message: str) -> None:
        place = _place(node)
        self.problems.append(Problem(place.line, place.column, spelled(keys), message))


def _place(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    # `*/5 * * * *` without quotes reads as an alias.
    hint = "; a value that begins with * needs quotes" if "alias" in f"{said}{getattr(error, 'context', '')}" else ""
    place = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    return Problem(place.line, place.column, "", f"is not YAML: {said}{hint}")
