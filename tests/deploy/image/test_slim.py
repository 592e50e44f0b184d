"""Claims about what makes an environment smaller: what runs still runs."""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from slim import drop_symbols, drop_unused, loaded_part, main


def write(site: Path, *names: str) -> None:
    for name in names:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("")


def files(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def test_tests_headers_and_stubs_go_and_code_stays(tmp_path: Path) -> None:
    kept = ("a/core.py", "a/data.json", "a/py.typed", "a/testing/x.py", "a-1.dist-info/METADATA")
    gone = ("a/tests/test_core.py", "a/core.pyi", "a/fast.c", "a/include/a.h", "a-1.dist-info/RECORD")
    write(tmp_path, *kept, *gone)
    drop_unused(tmp_path)
    assert files(tmp_path) == set(kept)


def test_of_amazon_s_services_s3_and_those_that_tell_who_asks_stay(tmp_path: Path) -> None:
    kept = ("botocore/data/s3/1/service-2.json.gz", "botocore/data/sts/1/x.json", "botocore/data/endpoints.json")
    write(tmp_path, *kept, "botocore/data/ec2/1/service-2.json.gz", "botocore/data/s3control/1/x.json")
    drop_unused(tmp_path)
    assert files(tmp_path) == set(kept)


def test_a_shared_object_without_its_symbols_still_loads(tmp_path: Path) -> None:
    source, smaller = Path(_ctypes.__file__), tmp_path / "_ctypes.so"
    smaller.write_bytes(loaded_part(source.read_bytes()))
    assert smaller.stat().st_size < source.stat().st_size
    assert ctypes.CDLL(str(smaller)).PyInit__ctypes


def test_numpy_computes_the_same_without_symbols_and_unused_parts(tmp_path: Path) -> None:
    home = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        shutil.copytree(home / name, tmp_path / name)
    drop_unused(tmp_path)
    drop_symbols(tmp_path)
    program = "import numpy as np; print(np.linalg.det(np.diag([2.0, 3.0])), np.__file__)"
    environ = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        [sys.executable, "-S", "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["6.0", str(tmp_path / "numpy" / "__init__.py")]


def test_what_is_not_a_shared_object_is_left_as_it_is() -> None:
    for content in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01 of 32 bits"):
        assert loaded_part(content) == content


def test_what_is_imported_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "one/never.py")
    (tmp_path / "one/__init__.py").write_text("import one.used")
    (tmp_path / "one/used.py").write_text("value = 1")
    listed = tmp_path / "modules"
    listed.write_text("# the first line\none\n\n")
    arguments = [str(tmp_path), str(listed)]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from slim import main; main({arguments})"
    deploy = Path(sys.modules[main.__module__].__file__ or "").parent
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(deploy)}, check=True)
    compiled = {path.name.split(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert compiled == {"__init__", "used"}
