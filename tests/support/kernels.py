"""The kernels of `counts.cu`, written with numpy for memory of the host: what starts them is the same."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def at(pointer: int, kind: type[np.generic], *shape: int) -> NDArray[Any]:
    """Return what lies at an address."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    memory = memoryview((ctypes.c_char * size).from_address(pointer)).cast("B")
    return np.frombuffer(memory, np.dtype(kind)).reshape(shape)


class HostKernels:
    """See `dropaudit.runtime.cuda.Kernels`."""

    def __init__(self) -> None:
        self.launched: list[str] = []

    def clear(self, pointer: int, size: int) -> None:
        ctypes.memset(pointer, 0, size)

    def copy(self, pointer: int, found: NDArray[np.float32]) -> None:
        ctypes.memmove(found.ctypes.data, pointer, found.nbytes)

    def launch(self, name: str, blocks: tuple[int, int], arguments: Sequence[Any]) -> None:
        self.launched.append(name)
        kernels: dict[str, Callable[..., None]] = {"mask": self._mask, "rows": self._rows, "columns": self._columns}
        kernels[name[:-1]](*(argument.value for argument in arguments))

    def _mask(self, before: int, after: int, fixed: int, a: int, k: int, b: int, limit: float, found: int) -> None:
        x = at(before, np.float32, a, 1 if fixed else k, b)
        x, y = np.broadcast_arrays(x, at(after, np.float32, a, k, b))
        counts, finite = at(found, np.int64, 5, k), np.isfinite(y)
        tells = np.isfinite(x) & (np.abs(x) > limit)
        with np.errstate(all="ignore"):
            factor = y / x
            keeps = finite & tells & (factor != 0)
            fine = keeps & (factor > 0) & np.isfinite(factor)
        for row, flags in enumerate((keeps, tells, ~finite | (keeps & ~fine))):
            counts[row] += flags.sum(axis=(0, 2))
        bits = np.where(fine, factor, 1).astype(np.float32).view(np.uint32).astype(np.int64)
        counts[3] = np.where(fine, bits, 0).max(axis=(0, 2))
        counts[4] = np.where(fine, 0xFFFFFFFF - bits, 0).max(axis=(0, 2))

    def _rows(self, values: int, weights: int, a: int, k: int, b: int, limit: float, products: int, zeros: int) -> None:
        y, w = at(values, np.float32, a, k, b).astype(np.float64), at(weights, np.float32, a, 1, b)
        at(products, np.float64, k)[:] += (y * w).sum(axis=(0, 2))
        at(zeros, np.int64, k)[:] += ((y == 0) & (np.abs(w) > limit)).sum(axis=(0, 2))

    def _columns(self, values: int, weights: int, a: int, k: int, b: int, few: int, q: int, r: int, found: int) -> None:
        y, w = at(values, np.float32, a, k, b).astype(np.float64), at(weights, np.float32, a * b)
        products = y.sum(axis=1).reshape(-1) * w
        steps = (np.arange(a * b) // r) % q
        at(found, np.float64, q)[:] += np.bincount(steps, products, q)
