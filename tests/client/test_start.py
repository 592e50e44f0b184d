"""Claims about how little the command does before an audit begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.graphs import dense

# What users replace(), what keeps its content out of `repr`, and samplers; the rest are Structs.
_DATACLASSES = {
    *("ArtifactSubject", "PairSubject", "RecordedSubject", "Security", "Reference", "InMemory", "OnDisk", "ModelFiles"),
    *("Tile", "TiledSampler", "ReseededSampler", "ParallelSampler"),
}
_PROGRAM = """
import sys
from dataclasses import is_dataclass
from dropaudit_client.command import run

run(["run", sys.argv[1], "--provider", "cpu"], {})
ours = {name: module for name, module in sys.modules.items() if name.startswith("dropaudit")}
found = {
    each.__name__
    for name, module in ours.items()
    if not name.startswith("dropaudit.stats")
    for each in vars(module).values()
    if isinstance(each, type) and is_dataclass(each) and each.__module__ == name and each.__dataclass_params__.frozen
}
print(*sorted(found), file=sys.stderr)
"""


def test_few_frozen_dataclasses_are_made_for_an_audit(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(dense("y = Dropout(x, r, t)"))
    command = [sys.executable, "-c", _PROGRAM, str(model)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "PASS" in ended.stdout
    assert set(ended.stderr.split()) <= _DATACLASSES
