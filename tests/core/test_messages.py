from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CORE = Path(__file__).parents[2] / "core/dropaudit"
# The plugin is an edge itself; NVRTC takes options.
EDGES = {"pytest.py", "cuda.py"}


def texts(path: Path) -> Iterator[str]:
    """Yield the strings of a module, docstrings included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_core_names_no_setting_of_the_service_and_no_option_of_the_command() -> None:
    named = {
        (path.name, text)
        for path in CORE.rglob("*.py")
        if path.name not in EDGES
        for text in texts(path)
        if "DROPAUDIT_" in text or " --" in text or "(--" in text
    }
    assert named == set()
