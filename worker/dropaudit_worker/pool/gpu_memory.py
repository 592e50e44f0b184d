"""Memory of GPUs, by NVIDIA's management library: it needs no CUDA context, which could not be used after a fork."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress

from dropaudit_store.audits.workers import Gpu

_LIBRARY = "libnvidia-ml.so.1"
_LONGEST_NAME = 96


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Refused(Exception):
    pass


def gpu_memory(load: Callable[[str], ctypes.CDLL] = ctypes.CDLL) -> tuple[Gpu, ...]:
    """Return the GPUs of this machine; none where no driver answers. A GPU that does not say is left out."""
    try:
        library = load(_LIBRARY)
        _require(library.nvmlInit_v2())
    except (OSError, _Refused):
        return ()
    try:
        return tuple(found for each in range(_count(library)) if (found := _gpu(library, each)) is not None)
    finally:
        library.nvmlShutdown()


def _count(library: ctypes.CDLL) -> int:
    count = ctypes.c_uint()
    with suppress(_Refused):
        _require(library.nvmlDeviceGetCount_v2(ctypes.byref(count)))
    return count.value


def _gpu(library: ctypes.CDLL, index: int) -> Gpu | None:
    device, memory, name = ctypes.c_void_p(), _Memory(), ctypes.create_string_buffer(_LONGEST_NAME)
    try:
        _require(library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device)))
        _require(library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)))
        _require(library.nvmlDeviceGetUUID(device, name, ctypes.c_uint(_LONGEST_NAME)))
    except _Refused:
        return None
    return Gpu(name=name.value.decode("ascii", "replace"), used=memory.used, total=memory.total)


def _require(status: int) -> None:
    if status != 0:
        raise _Refused
