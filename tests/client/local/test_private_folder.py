"""Claims about the folder of a service on this machine: nobody else can enter or replace it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit_client.local.private_folder import held_folder, socket_path

PARTS = ("redis", "blobs")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with held_folder(tmp_path / "data", PARTS):
            modes = [mode(tmp_path / "data" / part) for part in (".", *PARTS, "lock")]
    finally:
        os.umask(before)
    assert modes == [0o700, 0o700, 0o700, 0o600]


def test_parts_that_an_older_version_left_open_are_closed(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir(mode=0o755)
    with held_folder(tmp_path, PARTS):
        assert mode(tmp_path / "redis") == 0o700


@pytest.mark.parametrize("bits", [0o770, 0o777])
def test_a_folder_where_others_may_write_is_refused(bits: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(bits)
    with pytest.raises(InvalidArgument, match="other users may write in"), held_folder(data, PARTS):
        pass
    assert list(data.iterdir()) == []


def test_a_folder_where_all_may_make_their_own_is_as_good(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o1777)
    with held_folder(data, PARTS):
        assert mode(data / "redis") == 0o700


@pytest.mark.parametrize("name", ["redis", "lock"])
def test_what_is_a_link_to_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    data = tmp_path / "data"
    data.mkdir()
    (data / name).symlink_to(elsewhere)
    with pytest.raises(UnreadableFile), held_folder(data, PARTS):
        pass
    assert mode(elsewhere) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else's")
@pytest.mark.parametrize("name", [".", "redis"])
def test_what_belongs_to_somebody_else_is_refused(name: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "redis").mkdir(parents=True)
    os.chown(data / name, 12345, 12345)
    with pytest.raises((InvalidArgument, UnreadableFile)), held_folder(data, PARTS):
        pass


def test_a_socket_s_path_that_is_too_long_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    with socket_path(tmp_path, "s") as short:
        assert short == tmp_path / "s"
    with socket_path(tmp_path / ("long" * 30), "s") as path:
        assert len(os.fsencode(path)) <= 103
        assert mode(path.parent) == 0o700
    assert not path.parent.exists()
