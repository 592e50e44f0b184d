"""Claims about models in several files on their way into a sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import OutOfMemory
from dropaudit.files.model_files import ModelFiles
from dropaudit.graph.reading.held_weights import LARGE_WEIGHTS
from dropaudit.graph.reading.load import read_artifact
from dropaudit.plan import Provider
from dropaudit.report import Report
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import BlobMissing, UriUnreadable
from dropaudit_store.records import ArtifactRef, Failure
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.content import LARGE_BYTES, Content, Material, Streamed, outside, pieces, stored
from dropaudit_worker.sandbox.jobs import SandboxedAudits, SandboxedInspections
from dropaudit_worker.sandbox.keeper import SandboxKeeper
from support.external import BIAS, WEIGHTS, bias, graph, weights, write

PLAN = Plan(provider=Provider.CPU, max_replicates=64)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    found = read_artifact(write(tmp_path / "model"), most=0)
    assert isinstance(found, ModelFiles)
    return found


@pytest.fixture
def keeper() -> Iterator[SandboxKeeper]:
    found = SandboxKeeper(SandboxLimits(memory_bytes=2 << 30), 0, lambda: False)
    yield found
    found.close()


def archive(files: ModelFiles) -> bytes:
    return b"".join(files.chunks())


def made(keeper: SandboxKeeper, content: Content) -> Report | Failure:
    material = Material(ArtifactRef(role=Role.TRAIN), (content,))
    return SandboxedAudits(keeper, 60.0)(material, PLAN, lambda _: None, lambda: False)


def in_pieces(content: bytes, size: int = 999) -> Streamed:
    return Streamed(len(content), lambda: (content[at : at + size] for at in range(0, len(content), size)))


def test_an_archive_is_audited_as_its_files_are_here(files: ModelFiles, keeper: SandboxKeeper) -> None:
    here = audit(ArtifactSubject(files, Role.TRAIN), PLAN)
    there = made(keeper, in_pieces(archive(files)))
    assert isinstance(there, Report)
    assert (there.verdict, there.findings, there.sites) == (here.verdict, here.findings, here.sites)
    assert there.execution.artifacts == here.execution.artifacts


def test_an_archive_is_inspected(files: ModelFiles, keeper: SandboxKeeper) -> None:
    found = SandboxedInspections(keeper, 60.0)(in_pieces(archive(files)))
    assert not isinstance(found, Failure)
    assert len(found) == 1


@pytest.mark.parametrize("location", ["/etc/passwd", "../../etc/passwd", "/proc/self/mem", "missing.bin"])
def test_nothing_outside_the_archive_is_opened(files: ModelFiles, keeper: SandboxKeeper, location: str) -> None:
    hostile = ModelFiles(graph(weights(location=location), bias()).SerializeToString(), files.data)
    failure = made(keeper, archive(hostile))
    assert isinstance(failure, Failure)
    assert failure.reason == "INVALID_MODEL"
    assert "folder" in failure.message or "not there" in failure.message


def test_an_archive_that_breaks_off_is_refused_and_the_sandbox_goes_on(
    files: ModelFiles, keeper: SandboxKeeper
) -> None:
    failure = made(keeper, archive(files)[:20_000])
    assert isinstance(failure, Failure)
    assert failure.reason == "INVALID_MODEL"
    assert isinstance(made(keeper, archive(files)), Report)


def test_a_model_that_there_is_no_room_for_ends_as_out_of_memory(keeper: SandboxKeeper) -> None:
    with pytest.raises(OutOfMemory):
        made(keeper, Streamed(1 << 40, lambda: iter([bytes(1 << 20)] * 4)))


def large() -> bytes:
    """Return a model in one file, so large that its weights are taken out as they come in."""
    proto = graph(numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b"))
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(LARGE_WEIGHTS // 4, np.float32), "unused"))
    content: bytes = proto.SerializeToString()
    return content


def test_a_large_model_in_one_file_is_audited_as_it_is_here(keeper: SandboxKeeper) -> None:
    content = large()
    here = audit(ArtifactSubject(content, Role.TRAIN), PLAN)
    there = made(keeper, in_pieces(content, 1 << 20))
    assert isinstance(there, Report)
    assert (there.verdict, there.findings, there.sites) == (here.verdict, here.findings, here.sites)
    assert there.execution.artifacts == here.execution.artifacts


def test_large_content_that_is_no_model_is_refused_and_the_next_audit_is_made(
    files: ModelFiles, keeper: SandboxKeeper
) -> None:
    for broken in (large()[:-1], b"\0" + large(), b"\xff" * LARGE_WEIGHTS):
        found = made(keeper, in_pieces(broken, 1 << 20))
        assert isinstance(found, Failure)
        assert found.reason == "INVALID_MODEL"
    assert isinstance(made(keeper, archive(files)), Report)


def test_content_that_is_gone_while_it_is_sent_is_named_and_the_next_audit_is_made(
    files: ModelFiles, keeper: SandboxKeeper
) -> None:
    def broken() -> Iterator[bytes]:
        yield archive(files)[:1000]
        raise BlobMissing("a" * 64)

    with pytest.raises(BlobMissing):
        made(keeper, Streamed(files.size, broken))
    assert isinstance(made(keeper, archive(files)), Report)


def test_large_content_is_read_on_its_way_and_small_content_at_once(tmp_path: Path) -> None:
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    small, large = blobs.put(b"small"), blobs.put(bytes(LARGE_BYTES))
    assert stored(blobs, small) == b"small"
    found = stored(blobs, large)
    assert isinstance(found, Streamed)
    assert found.size == sum(map(len, pieces(found))) == LARGE_BYTES
    with pytest.raises(BlobMissing):
        stored(blobs, "a" * 64)


def test_large_content_at_a_uri_is_read_on_its_way_too(tmp_path: Path) -> None:
    file = tmp_path / "large.tar"
    (tmp_path / "small.tar").write_bytes(b"small")
    file.touch()
    os.truncate(file, LARGE_BYTES)
    referenced = ReferencedModels(AllowedUris([tmp_path.as_uri()]), 2 * LARGE_BYTES)
    assert outside(referenced, (tmp_path / "small.tar").as_uri()) == b"small"
    found = outside(referenced, file.as_uri())
    assert isinstance(found, Streamed)
    assert found.size == sum(map(len, pieces(found))) == LARGE_BYTES
    os.truncate(file, LARGE_BYTES - 1)
    with pytest.raises(UriUnreadable, match="changed while it was read"):
        sum(map(len, pieces(found)))
