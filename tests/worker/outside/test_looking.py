"""Claims about models in folders and buckets, with a real S3 server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest
import redis

from dropaudit.plan import Role
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import ContentTooLarge, UriRefused, UriUnreadable
from dropaudit_store.members.outside import Placed
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, PairPattern, PairRef, TritonRepository, UriGlob
from dropaudit_store.shared.allowed_uris import AllowedUris
from dropaudit_worker.outside.looking import OutsideModels
from dropaudit_worker.outside.registry import Registry
from support.batches import TOOL, Batches
from support.clock import Clock
from support.s3 import Bucket

Write = Callable[[str, bytes], None]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Place:
    """A folder or a bucket with a prefix; `root` is its URI."""

    def __init__(self, root: str) -> None:
        self.root = root

    def write(self, path: str, content: bytes) -> None:
        """Write a file below the root."""
        with fsspec.open(f"{self.root}/{path}", "wb", auto_mkdir=True) as file:
            file.write(content)

    def remove(self, path: str) -> None:
        """Remove a file below the root."""
        system, place = fsspec.core.url_to_fs(f"{self.root}/{path}")
        system.rm(place)


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "disk":
        (tmp_path / "models").mkdir()
        yield Place((tmp_path / "models").as_uri())
        return
    bucket: Bucket = request.getfixturevalue("bucket")
    yield Place(f"s3://{bucket.name}/models")


def outside(client: redis.Redis, root: str, tmp_path: Path, most: int = 1 << 20) -> OutsideModels:
    allowed = AllowedUris([root])
    registry = Registry("", client, ModelStore(client), BlobStore((tmp_path / "blobs").as_uri()), most)
    return OutsideModels(client, allowed, ReferencedModels(allowed, most), registry)


@pytest.fixture
def looking(redis_client: redis.Redis, place: Place, tmp_path: Path) -> OutsideModels:
    return outside(redis_client, place.root, tmp_path)


@pytest.fixture
def batches(redis_client: redis.Redis, clock: Clock, looking: OutsideModels) -> Batches:
    return Batches(redis_client, clock, looking)


def test_a_pattern_finds_files_below_what_is_allowed(place: Place, looking: OutsideModels) -> None:
    for path in ("a.onnx", "b/c.onnx", "b/d/e.onnx", "b/x.txt"):
        place.write(path, path.encode())
    assert looking.matching(f"{place.root}/*.onnx") == [f"{place.root}/a.onnx"]
    assert looking.matching(f"{place.root}/**/*.onnx") == [
        f"{place.root}/{path}" for path in ("a.onnx", "b/c.onnx", "b/d/e.onnx")
    ]
    assert looking.matching(f"{place.root}/b/?.onnx") == [f"{place.root}/b/c.onnx"]
    with pytest.raises(UriRefused):
        looking.matching(f"{place.root.rpartition('/')[0]}/*/a.onnx")


def test_a_digest_is_that_of_the_content_and_read_again_only_when_it_has_changed(
    place: Place, looking: OutsideModels, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a.onnx", b"one")
    uri = f"{place.root}/a.onnx"
    reads: list[str] = []
    digest = ReferencedModels.digest

    def counted(self: ReferencedModels, text: str) -> str:
        reads.append(text)
        return digest(self, text)

    monkeypatch.setattr(ReferencedModels, "digest", counted)
    assert looking.digest(uri) == looking.digest(uri) == sha(b"one")
    assert reads == [uri]
    place.write("a.onnx", b"other")
    assert looking.digest(uri) == sha(b"other")
    with pytest.raises(UriUnreadable):
        looking.digest(f"{place.root}/none.onnx")


def test_of_each_model_of_a_repository_the_highest_number_counts(place: Place, looking: OutsideModels) -> None:
    for path in ("a/1/model.onnx", "a/2/model.onnx", "a/10/model.onnx", "b/3/model.onnx", "b/latest/model.onnx"):
        place.write(path, path.encode())
    place.write("c/1/other.onnx", b"x")
    place.write("config.pbtxt", b"x")
    found = looking.repository(TritonRepository(uri=place.root))
    assert found == [
        Placed("a", f"{place.root}/a/10/model.onnx", 10),
        Placed("b", f"{place.root}/b/3/model.onnx", 3),
    ]
    other = looking.repository(TritonRepository(uri=place.root, pattern="c*", file="other.onnx"))
    assert other == [Placed("c", f"{place.root}/c/1/other.onnx", 1)]


def test_a_suite_audits_the_newest_of_a_repository_and_the_next_run_picks_up_a_new_one(
    place: Place, batches: Batches
) -> None:
    for path in ("a/1/model.onnx", "b/1/model.onnx"):
        place.write(path, path.encode())
    batches.suite(TritonRepository(uri=place.root, role=Role.TRAIN))
    batches.works.note_tool(TOOL)
    batches.whole("first")
    first = batches.runs.read.get("nightly", "first")
    assert [each.request.spec.subject for each in batches.requests(first)] == [
        ArtifactRef(uri=f"{place.root}/a/1/model.onnx", role=Role.TRAIN),
        ArtifactRef(uri=f"{place.root}/b/1/model.onnx", role=Role.TRAIN),
    ]
    place.write("a/2/model.onnx", b"newer")
    result = batches.whole("second")
    second = batches.runs.read.get("nightly", "second")
    members = batches.runs.read.members(second.name)
    assert [(each.display_name, each.files[0].version, each.files[0].sha256) for each in members] == [
        ("a", 2, sha(b"newer")),
        ("b", 1, sha(b"b/1/model.onnx")),
    ]
    # What did not change is not done again, though it lies elsewhere than in the store.
    assert batches.counts(second).reused == 1
    assert result.comparison is not None
    assert result.comparison["base"] == first.name


def test_members_by_uri_are_named_by_their_place_below_the_folder(place: Place, batches: Batches) -> None:
    for path in ("x/train.onnx", "x/inference.onnx", "y/train.onnx"):
        place.write(path, path.encode())
    pair = PairPattern(train=f"{place.root}/{{name}}/train.onnx", inference=f"{place.root}/{{name}}/inference.onnx")
    batches.suite(UriGlob(pattern=f"{place.root}/*/train.onnx"), pair)
    run = batches.begin()
    assert batches.names_in(run) == ["x/train.onnx", "y/train.onnx", "train.onnx + inference.onnx"]
    assert batches.requests(run)[2].request.spec.subject == PairRef(
        train_uri=f"{place.root}/x/train.onnx", inference_uri=f"{place.root}/x/inference.onnx"
    )
    assert run.notes == (f"members[1]: {place.root}/y/train.onnx has no counterpart",)


def test_a_file_that_goes_away_is_left_to_its_audit_to_say(place: Place, batches: Batches) -> None:
    batches.suite(ArtifactRef(uri=f"{place.root}/gone.onnx"))
    run = batches.begin()
    (member,) = batches.runs.read.members(run.name)
    assert (member.display_name, member.files[0].sha256) == ("gone.onnx", "")
    assert len(batches.requests(run)) == 1


def test_a_folder_that_is_not_there_is_a_note(place: Place, batches: Batches) -> None:
    batches.suite(UriGlob(pattern=f"{place.root}/none/*.onnx"), TritonRepository(uri=f"{place.root}/none"))
    run = batches.begin()
    assert len(run.notes) == 2
    assert batches.conclude(run).verdict == "INCONCLUSIVE"


def test_what_is_too_large_is_not_hashed(redis_client: redis.Redis, place: Place, tmp_path: Path) -> None:
    place.write("a.onnx", bytes(100))
    with pytest.raises(ContentTooLarge):
        outside(redis_client, place.root, tmp_path, most=99).digest(f"{place.root}/a.onnx")


def test_links_to_folders_are_not_followed_and_links_to_files_lead_nowhere_else(
    redis_client: redis.Redis, tmp_path: Path
) -> None:
    models, secret = tmp_path / "models", tmp_path / "secret"
    (secret / "deep").mkdir(parents=True)
    models.mkdir()
    for folder in (secret, secret / "deep"):
        (folder / "s.onnx").write_bytes(b"secret")
    os.symlink(secret, models / "link")
    os.symlink(secret / "s.onnx", models / "s.onnx")
    looking = outside(redis_client, models.as_uri(), tmp_path)
    assert looking.matching(f"{models.as_uri()}/**/*.onnx") == [f"{models.as_uri()}/s.onnx"]
    with pytest.raises(UriRefused):
        looking.digest(f"{models.as_uri()}/s.onnx")


def test_a_registry_that_nobody_configured_says_so(redis_client: redis.Redis, tmp_path: Path) -> None:
    looking = outside(redis_client, "file:///models", tmp_path)
    with pytest.raises(UriUnreadable, match="DROPAUDIT_MLFLOW_URI"):
        looking.registered("models:/lstm/1")
