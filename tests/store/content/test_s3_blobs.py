"""Claims about content in S3, on a real endpoint."""

from __future__ import annotations

import hashlib
import time
import tracemalloc

import numpy as np
import pytest

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import BlobMissing, ContentTooLarge, DigestMismatch, StoreUnavailable
from support.content import MEBIBYTE, pieces, store
from support.s3 import Bucket


@pytest.fixture
def blobs(bucket: Bucket) -> BlobStore:
    return BlobStore(f"{bucket.url}/blobs")


def test_content_is_found_under_its_digest_by_any_store_of_the_bucket(blobs: BlobStore, bucket: Bucket) -> None:
    digest = blobs.put(b"content")
    assert digest == hashlib.sha256(b"content").hexdigest()
    other = BlobStore(f"{bucket.url}/blobs")
    assert other.holds(digest)
    assert other.read(digest) == b"content"
    assert bucket.keys() == [f"{bucket.name}/blobs/{digest[:2]}/{digest}"]


def test_what_was_missing_is_seen_once_another_store_has_put_it(blobs: BlobStore, bucket: Bucket) -> None:
    digest = hashlib.sha256(b"late").hexdigest()
    assert not blobs.holds(digest)
    with pytest.raises(BlobMissing):
        blobs.read(digest)
    BlobStore(f"{bucket.url}/blobs").put(b"late")
    assert blobs.holds(digest)


def test_the_same_content_is_stored_once(blobs: BlobStore, bucket: Bucket) -> None:
    assert blobs.put(b"content") == blobs.put(b"content")
    assert len(bucket.keys()) == 1


@pytest.mark.parametrize("mebibytes", [0, 1, 20])
def test_an_upload_that_breaks_off_leaves_nothing(mebibytes: int, blobs: BlobStore, bucket: Bucket) -> None:
    with pytest.raises(ConnectionError):
        store(blobs.writer(), pieces(mebibytes, breaks_off=True))
    assert (bucket.keys(), bucket.unfinished()) == ([], [])


@pytest.mark.parametrize("mebibytes", [1, 20])
def test_content_that_is_not_what_was_announced_leaves_nothing(
    mebibytes: int, blobs: BlobStore, bucket: Bucket
) -> None:
    with pytest.raises(DigestMismatch):
        store(blobs.writer(), pieces(mebibytes), sha256="0" * 64)
    assert (bucket.keys(), bucket.unfinished()) == ([], [])


def test_content_over_the_limit_leaves_nothing(blobs: BlobStore, bucket: Bucket) -> None:
    with pytest.raises(ContentTooLarge):
        store(blobs.writer(max_bytes=10 * MEBIBYTE), pieces(20))
    assert (bucket.keys(), bucket.unfinished()) == ([], [])


def test_large_content_goes_in_and_comes_out_without_being_held(blobs: BlobStore) -> None:
    expected = hashlib.sha256()
    tracemalloc.start()
    with blobs.writer() as writer:
        for piece in pieces(100):
            expected.update(piece)
            writer.write(piece)
        digest = writer.commit()
    found = hashlib.sha256()
    for chunk in blobs.chunks(digest, MEBIBYTE):
        found.update(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest == expected.hexdigest() == found.hexdigest()
    assert peak < 64 * MEBIBYTE


def test_removed_content_is_gone_and_needed_content_comes_back(blobs: BlobStore, bucket: Bucket) -> None:
    digest = blobs.put(b"content")
    assert not blobs.remove(digest, lambda: True)
    assert blobs.read(digest) == b"content"
    assert blobs.remove(digest, lambda: False)
    assert bucket.keys() == []
    # Gone already is as good.
    assert blobs.remove(digest, lambda: False)


def test_tensors_keep_their_values(blobs: BlobStore) -> None:
    stored = blobs.put_tensors([("x", np.arange(3))])
    ((name, array),) = blobs.read_tensors(stored)
    assert (name, array.tolist()) == ("x", [0, 1, 2])


def test_a_bucket_that_is_not_there_is_said(bucket: Bucket) -> None:
    blobs = BlobStore(f"{bucket.url}-other/blobs")
    with pytest.raises(StoreUnavailable, match="bucket"):
        blobs.put(b"content")
    with pytest.raises(StoreUnavailable, match="bucket"):
        store(blobs.writer(), pieces(20))
    with pytest.raises(BlobMissing):
        blobs.read("0" * 64)


def test_what_a_killed_writer_left_is_swept_after_a_day(blobs: BlobStore, bucket: Bucket) -> None:
    assert blobs.sweep(time.time()) == 0
    digest = blobs.put(b"content")
    bucket.put("blobs/incoming/left", b"half a model")
    assert blobs.sweep(time.time()) == 0
    assert blobs.sweep(time.time() + 90_000) == 1
    assert bucket.keys() == [f"{bucket.name}/blobs/{digest[:2]}/{digest}"]
