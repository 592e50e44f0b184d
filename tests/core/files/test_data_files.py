"""Claims about files that weights lie in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dropaudit.errors import UnreadableFile
from dropaudit.files.data_files import CHUNK_BYTES, OnDisk, file_below, plain_name

CONTENT = bytes(range(256)) * (CHUNK_BYTES // 100)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("w.bin", "w.bin"),
        ("./a//w.bin", "a/w.bin"),
        ("..w", "..w"),
        ("/w.bin", None),
        ("//w.bin", None),
        ("a/../w.bin", None),
        ("", None),
        (".", None),
        ("a\0b", None),
    ],
)
def test_names_have_one_plain_form_below_a_folder(given: str, plain: str | None) -> None:
    assert plain_name(given) == plain


def test_a_file_is_read_whole_and_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(CONTENT)
    file = OnDisk.at(path)
    assert file.size == len(CONTENT)
    assert bytes(file.content()) == CONTENT
    assert b"".join(map(bytes, file.chunks())) == CONTENT
    assert max(map(len, file.chunks())) <= CHUNK_BYTES


@pytest.mark.parametrize("change", ["other content", "longer", "shorter", "another file"])
def test_a_file_that_changes_after_it_was_found_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(CONTENT)
    os.utime(path, (1, 1))
    file = OnDisk.at(path)
    if change == "another file":
        path.unlink()
    path.write_bytes({"longer": CONTENT + b"1", "shorter": CONTENT[1:]}.get(change, CONTENT[::-1]))
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        file.content()
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        list(file.chunks())


def test_a_file_that_is_gone_or_not_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(b"1")
    file = OnDisk.at(path)
    path.unlink()
    with pytest.raises(UnreadableFile, match=r"w\.bin"):
        file.content()
    os.mkfifo(path)
    for other in (path, tmp_path):
        with pytest.raises(UnreadableFile, match="not a file"):
            OnDisk.at(other)


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"1")
    (tmp_path / "secret").write_bytes(b"2")
    (folder / "inside").symlink_to("w.bin")
    (folder / "outside").symlink_to("../secret")
    (folder / "round").symlink_to("round")
    assert file_below(folder, "inside") == (folder / "w.bin").resolve()
    for name in ("outside", "round", "missing", "../secret", str(tmp_path / "secret")):
        assert file_below(folder, name) is None
