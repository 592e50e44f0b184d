"""A newer version of the code: this one with another number, whose records and messages say more than is known here."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

VERSION, FORMAT = "9.9.0", "1.9"
_PACKAGES = ("dropaudit", "dropaudit_proto", "dropaudit_store", "dropaudit_server", "dropaudit_worker")
# File, what stands there, and what the newer version has in its place.
_CHANGES = (
    ("dropaudit/version.py", '__version__ = "', f'__version__ = "{VERSION}"  # "'),
    ("dropaudit_store/shared/formats.py", 'FORMAT = "1.0"', f'FORMAT = "{FORMAT}"'),
    # Every record has a field more, and so has what Redis holds of an audit.
    ("dropaudit_store/shared/formats.py", '"format":"{FORMAT}",', '"format":"{FORMAT}","shade":{{"of":["grey"]}},'),
    ("dropaudit_store/lua/audits/create.lua", "'format', FORMAT,", "'format', FORMAT, 'shade', 'grey',"),
    # Every message says something by name beside its id.
    ("dropaudit_server/handlers/wakeups.py", "args=arguments,", 'args=arguments, kwargs={"hint": "grey"},'),
    ("dropaudit_worker/queue/messages.py", "args=[audit_id],", 'args=[audit_id], kwargs={"hint": "grey"},'),
)


def make_newer_version(folder: Path) -> Path:
    """Write the newer version into a folder, and return what PYTHONPATH must begin with."""
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file, before, after in _CHANGES:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        if before not in text:
            raise ValueError(f"{file} has no {before!r} to be changed")
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
    about = folder / f"dropaudit-{VERSION}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dropaudit\nVersion: {VERSION}\n", encoding="utf-8")
    return folder
