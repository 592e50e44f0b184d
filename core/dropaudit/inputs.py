"""Model inputs: given arrays checked against the signature, or arrays made from it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from dropaudit.errors import InvalidTensor, UnreadableFile
from dropaudit.subjects import Array, Inputs

if TYPE_CHECKING:
    from dropaudit.graph.reading.signature import InputSpec

BATCH_EXTENT = 8
OTHER_EXTENT = 16
# Of a large model a run of eight takes seconds, and two tell apart what is drawn for each of a batch.
_BATCH_OF_LARGE, _LARGE = 2, 2**24
_BATCH_LABEL = re.compile(r"batch|^n$|^b$|^bs$|^unk__", re.IGNORECASE)
_DEFAULT_BOUND = 2


class Feeds(msgspec.Struct, frozen=True):
    """Inputs of one replicate.

    Attributes:
        arrays: by input name, mode switches excluded.
        synthesized: names of those that were made here.
        batch_axes: for each label of a free dimension, likeliest batch first, the axis it has in each input.
    """

    arrays: dict[str, Array]
    synthesized: frozenset[str]
    batch_axes: tuple[Mapping[str, int], ...]


def batch_extent(weights: int) -> int:
    """Return the batch that is made for a model of so many weights."""
    return BATCH_EXTENT if weights < _LARGE else _BATCH_OF_LARGE


def make_feeds(
    specs: tuple[InputSpec, ...],
    given: Inputs | None,
    switches: frozenset[str],
    rates: Mapping[str, float],
    rng: np.random.Generator,
    *,
    batch: int = BATCH_EXTENT,
    fixed: Mapping[str, int] | None = None,
) -> Feeds:
    """Take the given inputs and make the missing ones.

    Args:
        specs: the model's signature.
        given: arrays by name.
        switches: inputs that switch the mode; the caller of the model feeds them.
        rates: inputs that hold a keep probability or a drop rate, and what they are made as.
        rng: source of synthesized numbers: standard normal, or integers below the bound of the table they index.
        batch: extent of the batch where no given array tells it.
        fixed: extents of free dimensions by their label, which given arrays may overrule; see `fixed_extents`.

    Raises:
        InvalidTensor: an array has an unknown name, another type, or a shape that does not fit.
    """
    given = given or {}
    wanted = [spec for spec in specs if spec.name not in switches]
    unknown = sorted(set(given) - {spec.name for spec in specs})
    if unknown:
        known = ", ".join(repr(spec.name) for spec in wanted)
        raise InvalidTensor(f"the model has no input {unknown[0]!r}; its inputs are {known}", input=unknown[0])
    extents = _extents(wanted, given, batch, fixed or {})
    arrays = {spec.name: checked_input(spec, given[spec.name]) for spec in wanted if spec.name in given}
    made = {
        spec.name: _made(spec, extents, rates.get(spec.name), rng)
        for spec in wanted
        if spec.name not in given and (spec.name in rates or not spec.has_default)
    }
    return Feeds(arrays={**arrays, **made}, synthesized=frozenset(made), batch_axes=_batch_axes(wanted))


def fixed_extents(specs: tuple[InputSpec, ...], others: tuple[InputSpec, ...]) -> dict[str, int]:
    """Return the extents that the other artifact of a pair asks for, by the label of a free dimension.

    (float[batch,16] x) beside (float[1,16] x)      gives      batch: 1
    """
    by_name = {spec.name: spec for spec in others}
    pairs = [(spec, by_name[spec.name]) for spec in specs if spec.name in by_name]
    if not pairs and len(specs) == len(others):
        pairs = list(zip(specs, others, strict=True))
    return {
        dim: other
        for spec, theirs in pairs
        for dim, other in zip(spec.dims, theirs.dims, strict=False)
        if isinstance(dim, str) and isinstance(other, int)
    }


def _extents(specs: list[InputSpec], given: Inputs, batch: int, fixed: Mapping[str, int]) -> dict[str, int]:
    """Fix every free dimension: as given arrays have it, otherwise `batch` for the batch and 16 for others."""
    labels = _labels(specs)
    extents = {label: batch if label == labels[0] else OTHER_EXTENT for label in labels} | dict(fixed)
    for spec in specs:
        if spec.name in given and len(spec.dims) == np.ndim(given[spec.name]):
            shape = np.shape(given[spec.name])
            extents |= {dim: size for dim, size in zip(spec.dims, shape, strict=True) if isinstance(dim, str)}
    return extents


def _labels(specs: list[InputSpec]) -> list[str]:
    """Return the labels of free dimensions, likeliest batch first: by name, then by being a first axis."""
    found: dict[str, tuple[bool, int]] = {}
    for spec in specs:
        for axis, dim in enumerate(spec.dims):
            if isinstance(dim, str):
                found.setdefault(dim, (_BATCH_LABEL.search(dim) is None, axis))
    return sorted(found, key=lambda label: found[label])


def _batch_axes(specs: list[InputSpec]) -> tuple[Mapping[str, int], ...]:
    return tuple(
        {spec.name: spec.dims.index(label) for spec in specs if label in spec.dims} for label in _labels(specs)
    )


def checked_input(spec: InputSpec, array: Array) -> Array:
    """Return `array` as the model wants it. Raises InvalidTensor when its type or shape does not fit."""
    array = np.asarray(array)
    if array.dtype != spec.dtype:
        if array.dtype.kind != spec.dtype.kind:
            raise InvalidTensor(f"input {spec.name!r} wants {spec.dtype}, not {array.dtype}", input=spec.name)
        array = array.astype(spec.dtype)
    fits = array.ndim == len(spec.dims) and all(
        isinstance(dim, str) or dim == size for dim, size in zip(spec.dims, array.shape, strict=True)
    )
    if not fits:
        raise InvalidTensor(f"input {spec.name!r} wants shape {spec.dims}, not {array.shape}", input=spec.name)
    return array


def _made(spec: InputSpec, extents: Mapping[str, int], rate: float | None, rng: np.random.Generator) -> Array:
    shape = tuple(extents[dim] if isinstance(dim, str) else dim for dim in spec.dims)
    if rate is not None:
        return np.full(shape, rate, dtype=spec.dtype)
    if spec.dtype.kind == "b":
        return np.ones(shape, dtype=spec.dtype)
    if spec.dtype.kind in "iu":
        return rng.integers(0, spec.bound or _DEFAULT_BOUND, size=shape).astype(spec.dtype)
    return rng.standard_normal(shape).astype(spec.dtype)


def read_npy(path: Path) -> Array:
    """Read one array. Raises UnreadableFile or InvalidTensor."""
    loaded = _load(path)
    if not isinstance(loaded, np.ndarray):
        raise InvalidTensor(f"{path} is an archive of arrays; give a single .npy file", path=str(path))
    return loaded


def read_npz(path: Path) -> dict[str, Array]:
    """Read named arrays. Raises UnreadableFile or InvalidTensor."""
    loaded = _load(path)
    if isinstance(loaded, np.ndarray):
        raise InvalidTensor(
            f"{path} is a single array; give an .npz file whose arrays carry input names", path=str(path)
        )
    try:
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, zipfile.BadZipFile, OSError) as error:
        raise InvalidTensor(f"{path} is a damaged .npz file: {error}", path=str(path)) from error


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except OSError as error:
        if error.errno is None:
            raise InvalidTensor(f"{path} is not a numpy file; write it with numpy.save", path=str(path)) from error
        raise UnreadableFile(f"cannot read {path}: {error.strerror}", path=str(path)) from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidTensor(
            f"{path} is not a numpy file: write it with numpy.save or numpy.savez", path=str(path)
        ) from error
