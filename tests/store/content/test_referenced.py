"""Claims about reading models that were not uploaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from dropaudit_store.content.referenced import ReferencedModels
from dropaudit_store.errors import ContentTooLarge, StoreUnavailable, UriRefused, UriUnreadable
from dropaudit_store.shared.allowed_uris import AllowedUris
from support.s3 import Bucket

MOST_BYTES = 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that is allowed, with a model; beside it lies a secret."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.onnx").write_bytes(b"model")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.onnx").write_bytes(b"secret")
    return folder


@pytest.fixture
def models(folder: Path) -> ReferencedModels:
    return ReferencedModels(AllowedUris([folder.as_uri()]), MOST_BYTES)


def test_a_file_is_read(models: ReferencedModels, folder: Path) -> None:
    assert models.read(f"{folder.as_uri()}/a.onnx") == b"model"


def test_a_link_that_stays_inside_is_followed(models: ReferencedModels, folder: Path) -> None:
    (folder / "newest.onnx").symlink_to("a.onnx")
    assert models.read(f"{folder.as_uri()}/newest.onnx") == b"model"


@pytest.mark.parametrize("link", ["file", "folder", "chain"])
def test_a_link_that_leads_out_is_refused(link: str, models: ReferencedModels, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "secret"
    if link == "folder":
        (folder / "out").symlink_to(target)
        uri = f"{folder.as_uri()}/out/a.onnx"
    else:
        (folder / "first.onnx").symlink_to(target / "a.onnx")
        (folder / "second.onnx").symlink_to("first.onnx")
        uri = f"{folder.as_uri()}/{'first' if link == 'file' else 'second'}.onnx"
    with pytest.raises(UriRefused, match="leads out"):
        models.read(uri)


def test_a_prefix_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "shown").symlink_to(folder)
    models = ReferencedModels(AllowedUris([(tmp_path / "shown").as_uri()]), MOST_BYTES)
    assert models.read(f"{(tmp_path / 'shown').as_uri()}/a.onnx") == b"model"


def test_what_is_not_allowed_is_not_opened(models: ReferencedModels, tmp_path: Path) -> None:
    with pytest.raises(UriRefused, match="is not below"):
        models.read(f"{(tmp_path / 'secret').as_uri()}/a.onnx")


@pytest.mark.parametrize(("name", "word"), [("none", "No such file"), ("folder", "directory"), ("pipe", "not a file")])
def test_what_is_no_file_is_said(name: str, word: str, models: ReferencedModels, folder: Path) -> None:
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(UriUnreadable, match=word):
        models.read(f"{folder.as_uri()}/{name}")


def test_a_model_over_the_limit_is_refused(models: ReferencedModels, folder: Path) -> None:
    (folder / "a.onnx").write_bytes(bytes(MOST_BYTES))
    assert len(models.read(f"{folder.as_uri()}/a.onnx")) == MOST_BYTES
    (folder / "a.onnx").write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(ContentTooLarge, match="larger than 1000 bytes"):
        models.read(f"{folder.as_uri()}/a.onnx")


def test_the_size_is_told_under_the_same_rules(models: ReferencedModels, folder: Path, tmp_path: Path) -> None:
    assert models.size(f"{folder.as_uri()}/a.onnx") == 5
    (folder / "out.onnx").symlink_to(tmp_path / "secret" / "a.onnx")
    with pytest.raises(UriRefused, match="leads out"):
        models.size(f"{folder.as_uri()}/out.onnx")
    (folder / "a.onnx").write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(ContentTooLarge):
        models.size(f"{folder.as_uri()}/a.onnx")


@pytest.mark.parametrize("now", [b"", b"mode", b"models"])
def test_a_model_that_is_changed_while_it_is_read_is_said_to_be(
    now: bytes, models: ReferencedModels, folder: Path
) -> None:
    uri = f"{folder.as_uri()}/a.onnx"
    assert b"".join(models.chunks(uri, 5)) == b"model"
    (folder / "a.onnx").write_bytes(now)
    with pytest.raises(UriUnreadable, match="changed while it was read"):
        list(models.chunks(uri, 5))


def test_an_object_is_read_and_what_is_not_there_is_said(bucket: Bucket) -> None:
    uri = bucket.put("models/a.onnx", b"model")
    hidden = bucket.put("secret/a.onnx", b"secret")
    models = ReferencedModels(AllowedUris([f"{bucket.url}/models"]), MOST_BYTES)
    assert models.read(uri) == b"model"
    assert b"".join(models.chunks(uri, models.size(uri))) == b"model"
    for missing in (models.read, models.size):
        with pytest.raises(UriUnreadable, match="there is nothing"):
            missing(f"{bucket.url}/models/b.onnx")
    with pytest.raises(UriRefused, match="is not below"):
        models.read(hidden)
    bucket.put("models/a.onnx", bytes(MOST_BYTES + 1))
    with pytest.raises(ContentTooLarge):
        models.read(uri)


@pytest.fixture
def unreachable(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket on an endpoint where nobody listens."""
    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    yield bucket
    S3FileSystem.clear_instance_cache()


def test_an_object_store_that_does_not_answer_is_no_missing_model(unreachable: Bucket) -> None:
    bucket = unreachable
    models = ReferencedModels(AllowedUris([bucket.url]), MOST_BYTES)
    with pytest.raises(StoreUnavailable, match="blob store"):
        models.read(f"{bucket.url}/a.onnx")
