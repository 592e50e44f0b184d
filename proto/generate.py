"""Regenerates the code beside audit.proto; with --check, only says whether it is up to date."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROTO_ROOT = Path(__file__).parent
PROTO = "dropaudit_proto/v1/audit.proto"
GENERATED = [f"dropaudit_proto/v1/audit_{name}" for name in ("pb2.py", "pb2.pyi", "pb2_grpc.py", "pb2_grpc.pyi")]


def generate(target: Path) -> None:
    """Write the generated files of the contract under `target`."""
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO_ROOT}"),
            *(f"--python_out={target}", f"--pyi_out={target}"),
            *(f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}"),
            PROTO,
        ],
        check=True,
        # protoc finds the mypy_grpc plug-in beside the interpreter that runs it.
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )


def stale_files() -> list[str]:
    """Return the checked-in files that differ from what the generators write."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        return [
            name
            for name in GENERATED
            if not (PROTO_ROOT / name).exists()
            or (Path(scratch) / name).read_bytes() != (PROTO_ROOT / name).read_bytes()
        ]


def main() -> int:
    """Regenerate, or check."""
    if "--check" not in sys.argv[1:]:
        generate(PROTO_ROOT)
        return 0
    stale = stale_files()
    if stale:
        print(f"generated code is stale, run `make proto`: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
