"""Claims about archives of models in several files."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from dropaudit.errors import InvalidModel
from dropaudit.files.archive import is_archive
from dropaudit.files.data_files import InMemory
from dropaudit.files.model_files import ModelFiles
from dropaudit.files.unpacking import unpack
from support.external import whole

ODD = "weights of\n'Ω'/-rf $(x).bin"


def files(data: Mapping[str, bytes]) -> ModelFiles:
    return ModelFiles(b"graph", {name: InMemory(memoryview(content)) for name, content in data.items()})


def tar(members: Mapping[str, bytes], **fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    return {name: bytes(file.content()) for name, file in unpack(content).data.items()}


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 3 << 20])
def test_what_is_packed_is_unpacked(size: int) -> None:
    given = files({"w.bin": bytes(size), f"{'long/' * 60}{ODD}": b"12"})
    content = b"".join(given.chunks())
    found = unpack(content)
    assert is_archive(content)
    assert (found.graph, unpacked(content)) == (b"graph", {"w.bin": bytes(size), f"{'long/' * 60}{ODD}": b"12"})
    assert given.size == found.size == len(content)
    assert given.sha256 == found.sha256 == hashlib.sha256(content).hexdigest()


def test_the_same_files_are_the_same_archive_in_any_order() -> None:
    assert files({"a": b"1", "b": b"2"}).sha256 == files({"b": b"2", "a": b"1"}).sha256
    assert files({"a": b"1", "b": b"2"}).sha256 != files({"a": b"2", "b": b"1"}).sha256


def test_a_model_in_one_file_is_not_an_archive() -> None:
    assert not is_archive(whole())
    assert not is_archive(b"")


def test_archives_of_other_tools_are_taken_from_the_folder_of_the_model_on(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "m.onnx").write_bytes(b"graph")
    (tmp_path / "weights" / "a.bin").write_bytes(b"a")
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        for top in (".", "export", "export/v1"):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
                archive.add(tmp_path, arcname=top)
            assert unpacked(buffer.getvalue()) == {"weights/a.bin": b"a"}


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a/../../secret", ".."])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(InvalidModel, match="not a plain file below its folder"):
        unpack(tar({"model.onnx": b"graph", name: b"x"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes) -> None:
    with pytest.raises(InvalidModel, match="not a plain file below its folder"):
        unpack(tar({"w.bin": b""}, type=kind, linkname="/etc/passwd"))


def test_one_onnx_file_is_wanted_and_every_name_once() -> None:
    for members in ({"w.bin": b"x"}, {"a.onnx": b"x", "b.onnx": b"y"}):
        with pytest.raises(InvalidModel, match=r"files named \*\.onnx, and must hold one"):
            unpack(tar(members))
    with pytest.raises(InvalidModel, match=r"'w\.bin' twice"):
        unpack(tar({"m.onnx": b"", "w.bin": b"1", "./w.bin": b"2"}))


def test_an_archive_that_breaks_off_is_refused_wherever_it_does() -> None:
    content = tar({"model.onnx": b"g" * 600, "w.bin": b"x" * 600})
    for length in (512, 600, 1500, 2100, 2600):
        with pytest.raises(InvalidModel, match="archive"):
            unpack(content[:length])


def test_headers_that_lie_are_refused_without_the_memory_they_ask_for() -> None:
    size_at = 124
    for lie in (b"77777777777\0", b"\x80" + (2**62).to_bytes(11, "big"), b"\xff" * 12):
        content = bytearray(tar({"model.onnx": b"graph"}))
        content[size_at : size_at + 12] = lie
        content[148:156] = b" " * 8
        content[148:156] = b"%06o\0 " % sum(content[:512])
        with pytest.raises(InvalidModel, match="archive"):
            unpack(bytes(content))
    with pytest.raises(InvalidModel, match="archive"):
        unpack(tar({"model.onnx": b"g" * (2 << 20)}, type=tarfile.GNUTYPE_LONGNAME))


def test_garbage_after_the_magic_is_refused() -> None:
    content = bytearray(4096)
    content[257:262] = b"ustar"
    with pytest.raises(InvalidModel, match="archive"):
        unpack(bytes(content))
