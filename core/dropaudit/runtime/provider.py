"""Where a model runs."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from pathlib import Path

import msgspec

from dropaudit.errors import ProviderUnavailable
from dropaudit.plan import Provider
from dropaudit.runtime.cuda import driver, prepare_kernels
from dropaudit.runtime.device_memory import device_memory_limit

try:
    import onnxruntime
except ImportError as error:  # the runtime is an extra: the wheels for CPU and GPU exclude each other
    raise ProviderUnavailable("ONNX Runtime is not installed: install dropaudit[cpu] or dropaudit[gpu]") from error

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"


class Device(msgspec.Struct, frozen=True):
    """A chosen provider: its name in the report, the names the runtime wants, and the device behind it."""

    provider: Provider
    runtime_names: tuple[str, ...]
    device: str

    @property
    def providers(self) -> list[str | tuple[str, dict[str, str]]]:
        """Provider options of a session: the names, with the memory that it may take of a GPU."""
        limit = device_memory_limit()
        # Otherwise it takes twice as much each time that it needs more.
        options = {"arena_extend_strategy": "kSameAsRequested"} | ({"gpu_mem_limit": str(limit)} if limit else {})
        return [(name, options) if name == _CUDA else name for name in self.runtime_names]


def runtime_version() -> str:
    """Return the name and version of the runtime."""
    return f"onnxruntime {onnxruntime.__version__}"


def choose(asked: Provider) -> Device:
    """Pick the provider. CUDA is asked of the runtime only where a device answers: otherwise it falls back noisily.

    Raises:
        ProviderUnavailable: CUDA was asked for and there is no CUDA wheel or no device.
    """
    device = cuda_device() if _CUDA in onnxruntime.get_available_providers() else None
    if asked is Provider.CUDA and device is None:
        raise ProviderUnavailable(
            "no CUDA device answers: run on the CPU, or install dropaudit[gpu] on a machine with an NVIDIA GPU",
            provider=asked.value,
        )
    if asked is Provider.CPU or device is None:
        return Device(Provider.CPU, (_CPU,), cpu_name())
    onnxruntime.preload_dlls()
    prepare_kernels()
    return Device(Provider.CUDA, (_CUDA, _CPU), device)


@cache
def cuda_device() -> str | None:
    """Return the name of the first CUDA device, None where the driver or the device is missing."""
    cuda = driver()
    if cuda is None or _count(cuda) == 0:
        return None
    name = ctypes.create_string_buffer(128)
    return name.value.decode() if cuda.cuDeviceGetName(name, len(name), 0) == 0 else "CUDA device 0"


def count_cuda_devices() -> int:
    """Return how many CUDA devices the runtime can use; 0 where it is built without CUDA.

    A process that has asked must not be forked to use them.
    """
    cuda = driver() if _CUDA in onnxruntime.get_available_providers() else None
    return 0 if cuda is None else _count(cuda)


def _count(cuda: ctypes.CDLL) -> int:
    count = ctypes.c_int(0)
    answers = cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if answers else 0


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def cpu_name() -> str:
    """Return the processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
