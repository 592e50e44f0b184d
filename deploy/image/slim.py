"""Makes what is installed for an image smaller: what never runs goes, and what the role imports is compiled.

    python slim.py SITE_PACKAGES MODULES

MODULES is a file of modules, one a line, that the role imports when it starts. It runs while an image is built, with
the standard library alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import py_compile
import shutil
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

# Tests, headers, stubs for type checkers, and lists of installed files.
_FOLDERS = ("tests", "include", "sboms")
_SUFFIXES = (".pyi", ".pyx", ".pxd", ".h", ".hpp", ".a", ".c", ".cc", ".cu")
_PARTS = (
    # What builds extensions from Fortran, and what only numpy's own tests load.
    "numpy/f2py",
    "numpy/distutils",
    "numpy/_core/_simd.*",
    "numpy/_core/*_tests.*",
    "onnx/backend/test",
    # Tools that change models rather than run them.
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "*.dist-info/RECORD",
)
# Of Amazon's services, S3 and those that tell who asks it.
_SERVICES = ("s3", "sso", "sso-oidc", "sts", "signin")

_PROGRAM_HEADERS = struct.Struct("<Q")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
# Where an ELF header tells of its sections: their place, and size, number and names.
_SECTIONS_AT, _SECTION_COUNTS_AT = 40, 58


def drop_unused(site: Path) -> None:
    """Remove files and folders that nothing reads in a running service."""
    found = [path for name in _FOLDERS for path in site.rglob(name) if path.is_dir()]
    found += [path for pattern in _PARTS for path in site.glob(pattern)]
    found += [path for path in site.glob("botocore/data/*/") if path.is_dir() and path.name not in _SERVICES]
    found += [path for path in site.rglob("*") if path.suffix in _SUFFIXES and path.is_file()]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def drop_symbols(site: Path) -> None:
    """Cut off what is for debuggers at the ends of shared objects: a dozen megabytes of some."""
    for path in site.rglob("*.so*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            shorter = loaded_part(content)
            if len(shorter) < len(content):
                path.write_bytes(shorter)


def loaded_part(content: bytes) -> bytes:
    """Return a shared object up to the last byte that is loaded, with no sections; anything else as it is."""
    if not content.startswith(_ELF64_LITTLE_ENDIAN):
        return content
    (start,) = _PROGRAM_HEADERS.unpack_from(content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = [_SEGMENT.unpack_from(content, start + number * size) for number in range(count)]
    end = max((segment[2] + segment[5] for segment in segments), default=len(content))
    shorter = bytearray(content[: max(end, start + size * count)])
    shorter[_SECTIONS_AT : _SECTIONS_AT + 8] = bytes(8)
    shorter[_SECTION_COUNTS_AT : _SECTION_COUNTS_AT + 6] = bytes(6)
    return bytes(shorter)


def compile_imported(site: Path, modules: Iterable[str]) -> None:
    """Compile these modules and all that they import. The others would double the size, to be read by nobody."""
    sys.dont_write_bytecode = True
    for module in modules:
        importlib.import_module(module)
    for loaded in list(sys.modules.values()):
        file = getattr(loaded, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(site):
            # The files do not change any more: nothing compares their times.
            py_compile.compile(file, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def main(arguments: list[str]) -> int:
    """Make one environment smaller."""
    site, listed = Path(arguments[0]), Path(arguments[1]).read_text(encoding="utf-8")
    drop_unused(site)
    drop_symbols(site)
    lines = (line.strip() for line in listed.splitlines())
    compile_imported(site, [line for line in lines if line and not line.startswith("#")])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
