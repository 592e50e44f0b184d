"""NVIDIA's driver, used beside ONNX Runtime: free memory, and kernels of our own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit.runtime.device_memory import Memory

# Which of NVIDIA's compilers there is; onnxruntime.preload_dlls() has loaded the one that ONNX Runtime was built for.
_COMPILERS = ("libnvrtc.so.13", "libnvrtc.so.12")
_SOURCE = "counts.cu"
_KERNELS = ("mask1", "mask4", "rows1", "rows4", "columns1", "columns4")
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
_THREADS = 256


def driver() -> ctypes.CDLL | None:
    """Return NVIDIA's driver; None where there is none."""
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None


def device_memory() -> Memory | None:
    """Return the memory of the first device; None where none answers."""
    cuda = driver()
    if cuda is None or not _enter(cuda):
        return None
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    failed = cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    return None if failed else Memory(free.value, total.value)


def _enter(cuda: ctypes.CDLL) -> bool:
    """Make the context that ONNX Runtime uses that of this thread."""
    context = ctypes.c_void_p()
    if cuda.cuInit(0) or cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0):
        return False
    return not cuda.cuCtxSetCurrent(context)


class Kernels(Protocol):
    """The kernels of `kernels/counts.cu`, ready to run. All raise RuntimeError where the device refuses."""

    def launch(self, name: str, blocks: tuple[int, int], arguments: Sequence[Any]) -> None:
        """Start a kernel after all that was started before.

        Args:
            name: of the kernel.
            blocks: along x and y, of 256 threads each.
            arguments: of ctypes' types.
        """
        ...

    def clear(self, pointer: int, size: int) -> None:
        """Set so many bytes of the device to zero."""
        ...

    def copy(self, pointer: int, found: NDArray[np.float32]) -> None:
        """Fill an array with what lies on the device, when all that was started before has ended."""
        ...


class CudaKernels(msgspec.Struct, frozen=True):
    """Kernels on the first CUDA device; see Kernels."""

    driver: Any
    functions: dict[str, ctypes.c_void_p]

    def launch(self, name: str, blocks: tuple[int, int], arguments: Sequence[Any]) -> None:
        """See Kernels."""
        _enter(self.driver)
        pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(each) for each in arguments))
        function = self.functions[name]
        failed = self.driver.cuLaunchKernel(function, *blocks, 1, _THREADS, 1, 1, 0, None, pointers, None)
        if failed:
            raise RuntimeError(f"the driver did not start {name}: error {failed}")

    def clear(self, pointer: int, size: int) -> None:
        """See Kernels."""
        _enter(self.driver)
        if self.driver.cuMemsetD8_v2(ctypes.c_void_p(pointer), ctypes.c_ubyte(0), ctypes.c_size_t(size)):
            raise RuntimeError("the driver did not clear memory")

    def copy(self, pointer: int, found: NDArray[np.float32]) -> None:
        """See Kernels."""
        _enter(self.driver)
        address = found.ctypes.data_as(ctypes.c_void_p)
        if self.driver.cuMemcpyDtoH_v2(address, ctypes.c_void_p(pointer), ctypes.c_size_t(found.nbytes)):
            raise RuntimeError("the driver did not copy memory")


@cache
def _made() -> Future[Kernels | None]:
    """Compile in a thread: it takes a third of a second, and the model is loaded meanwhile."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="dropaudit-kernels")
    made = pool.submit(_compiled)
    pool.shutdown(wait=False)
    return made


def prepare_kernels() -> None:
    """Begin to compile the kernels, once in a process."""
    _made()


def kernels() -> Kernels | None:
    """Return the kernels; None where there is no device, or no compiler beside it."""
    return _made().result()


def _compiled() -> Kernels | None:
    cuda, compiler = driver(), _compiler()
    if cuda is None or compiler is None or not _enter(cuda):
        return None
    image = compiled_for(compiler, f"sm_{_attribute(cuda, _MAJOR)}{_attribute(cuda, _MINOR)}")
    module = ctypes.c_void_p()
    if image is None or cuda.cuModuleLoadData(ctypes.byref(module), image):
        return None
    functions = {}
    for name in _KERNELS:
        function = ctypes.c_void_p()
        if cuda.cuModuleGetFunction(ctypes.byref(function), module, name.encode()):
            return None
        functions[name] = function
    return CudaKernels(cuda, functions)


def _attribute(cuda: ctypes.CDLL, attribute: int) -> int:
    value = ctypes.c_int()
    cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, 0)
    return value.value


def _compiler() -> ctypes.CDLL | None:
    for name in _COMPILERS:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def compiled_for(compiler: Any, architecture: str) -> bytes | None:
    """Return the kernels' machine code; None where the compiler does not know the architecture, or the language."""
    source = files("dropaudit.runtime").joinpath("kernels", _SOURCE).read_bytes()
    program = ctypes.c_void_p()
    if compiler.nvrtcCreateProgram(ctypes.byref(program), source, _SOURCE.encode(), 0, None, None):
        return None
    options = (ctypes.c_char_p * 2)(f"--gpu-architecture={architecture}".encode(), b"--std=c++17")
    size = ctypes.c_size_t()
    try:
        if compiler.nvrtcCompileProgram(program, len(options), options):
            return None
        compiler.nvrtcGetCUBINSize(program, ctypes.byref(size))
        image = ctypes.create_string_buffer(size.value)
        compiler.nvrtcGetCUBIN(program, image)
        return image.raw
    finally:
        compiler.nvrtcDestroyProgram(ctypes.byref(program))
