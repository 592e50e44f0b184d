"""From what stands on the command line, or in a document, to the files that are audited."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from dropaudit.changes import NotMade

_SUFFIX = ".onnx"


class Member(msgspec.Struct, frozen=True):
    """A file to audit, or a pair of files; `name` is its path as it is shown."""

    name: str
    path: Path
    inference: Path | None = None


class Missing(msgspec.Struct, frozen=True):
    """An argument that names nothing to audit."""

    name: str
    why: NotMade


def is_one_file(arguments: Sequence[str]) -> bool:
    """Whether the arguments are one path of a file: no folder, and no pattern that is not the name of a file."""
    return len(arguments) == 1 and not Path(arguments[0]).is_dir() and not _is_pattern(arguments[0])


def members_of(arguments: Iterable[str], folder: Path = Path()) -> list[Member | Missing]:
    """Return the files that arguments name, each once, in the order of the arguments.

    A folder stands for the ONNX files that lie in it, a pattern for the files that match, with `**` at any depth.

    Args:
        arguments: files, folders and patterns.
        folder: what they are relative to; names stay relative to it.
    """
    found: dict[Path, Member | Missing] = {}
    for argument in arguments:
        paths = list(_paths(argument, folder))
        for path in paths:
            name = (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
            found.setdefault(path.resolve(), Member(name, path))
        if not paths:
            found.setdefault(Path(f"/{argument}"), Missing(argument, _nothing(argument, folder)))
    return list(found.values())


def pairs_of(train: str, inference: str, folder: Path = Path()) -> list[Member | Missing]:
    """Return the pairs of files whose names have the same `{name}` in both patterns.

    A train artifact without its counterpart is a pair that cannot be read: its inference file is not there.
    """
    before, _, after = train.partition("{name}")
    # In the rest of the pattern every character is meant as it is.
    paths = sorted(glob.glob(f"{glob.escape(before)}*{glob.escape(after)}", root_dir=folder))
    shape = re.compile(re.escape(before) + "([^/]+)" + re.escape(after))
    names = [(path, found[1]) for path in paths if (found := shape.fullmatch(Path(path).as_posix()))]
    if not names:
        return [Missing(train, NotMade(reason="NO_MATCH", message=f"no file matches {train}"))]
    return [Member(path, folder / path, folder / inference.replace("{name}", name)) for path, name in names]


def _paths(argument: str, folder: Path) -> Iterator[Path]:
    path = folder / argument
    if path.is_dir():
        yield from sorted(each for each in path.iterdir() if each.suffix == _SUFFIX and each.is_file())
    elif _is_pattern(argument, folder):
        found = glob.glob(argument, root_dir=folder, recursive=True)
        yield from (folder / each for each in sorted(found) if (folder / each).is_file())
    else:
        yield path


def _is_pattern(argument: str, folder: Path = Path()) -> bool:
    """Whether an argument has wildcards; a file of that very name is meant before all that match."""
    return glob.has_magic(argument) and not (folder / argument).exists()


def _nothing(argument: str, folder: Path) -> NotMade:
    if (folder / argument).is_dir():
        return NotMade(reason="NO_MATCH", message=f"no {_SUFFIX} file lies in {argument}")
    return NotMade(reason="NO_MATCH", message=f"no file matches {argument}")
