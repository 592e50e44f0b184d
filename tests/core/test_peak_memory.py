"""Claims about the memory that an audit of a large model takes, in processes of their own."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from support.graphs import dense

LAYERS, HIDDEN = 4, 2048
WEIGHTS = 4 * LAYERS * HIDDEN**2
# The weights once, and once more for as long as the runtime makes a session of them; and what an audit computes.
MOST = 2.6 * WEIGHTS
PROGRAM = r"""
import re, sys
from pathlib import Path
from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.graph.reading.load import read_artifact
from dropaudit.plan import Provider

def peak_of(path):
    audit(ArtifactSubject(read_artifact(Path(path)), Role.TRAIN), Plan(provider=Provider.CPU))
    # Not what getrusage says: that is at least what the process that started this one had.
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])

# Whatever is loaded once is loaded by the first.
small, large = map(peak_of, sys.argv[1:])
print(large - small)
"""


def write_large(path: Path) -> None:
    """Write layers of x -> MatMul -> Dropout -> x, of 64 MiB."""
    rng = np.random.default_rng(0)
    nodes = []
    constants: dict[str, np.ndarray] = {"r": np.asarray(0.5, np.float32), "t": np.asarray(True)}
    for layer in range(LAYERS):
        constants[f"w{layer}"] = (rng.random((HIDDEN, HIDDEN), np.float32) - np.float32(0.5)) / np.float32(16)
        nodes.append(helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"h{layer}"], f"product{layer}"))
        nodes.append(helper.make_node("Dropout", [f"h{layer}", "r", "t"], [f"x{layer + 1}"], f"dropout{layer}"))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["batch", HIDDEN])],
        [helper.make_tensor_value_info(f"x{LAYERS}", TensorProto.FLOAT, ["batch", HIDDEN])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc",
    reason="reads /proc, and only GNU's C library gives back what was freed",
)
def test_an_audit_holds_large_weights_once_and_once_more_while_a_session_is_made(tmp_path: Path) -> None:
    small, large = tmp_path / "small.onnx", tmp_path / "large.onnx"
    small.write_bytes(dense("y = Dropout(x, r, t)"))
    write_large(large)
    assert large.stat().st_size > WEIGHTS
    command = [sys.executable, "-c", PROGRAM, str(small), str(large)]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert WEIGHTS < taken < MOST, taken / WEIGHTS
