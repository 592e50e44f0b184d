"""Claims about which URIs an operator allows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dropaudit_store.errors import UriRefused
from dropaudit_store.settings import StoreSettings
from dropaudit_store.shared.allowed_uris import AllowedUris

ALLOWED = AllowedUris(["file:///srv/models/", "s3://bucket/team", "s3://open-bucket"])


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///srv/models/a.onnx", "/srv/models/a.onnx"),
        ("file:///srv/models/deep/er/a b.onnx", "/srv/models/deep/er/a b.onnx"),
        ("s3://bucket/team/ä.onnx", "team/ä.onnx"),
        ("s3://open-bucket/..a/...onnx", "..a/...onnx"),
    ],
)
def test_what_lies_below_a_prefix_is_allowed_as_it_is_written(uri: str, path: str) -> None:
    assert ALLOWED.require(uri).path == path


REFUSED = {
    "another folder": "file:///srv/other/a.onnx",
    "a folder whose name begins alike": "file:///srv/models-secret/a.onnx",
    "the folder itself": "file:///srv/models",
    "the folder with a slash": "file:///srv/models/",
    "the folder above": "file:///srv/models/../other/a.onnx",
    "the folder above, escaped": "file:///srv/models/%2e%2e/other/a.onnx",
    "an escaped slash": "file:///srv/models/..%2fother",
    "an escape of an escape": "file:///srv/models/%252e%252e/a",
    "a dot": "file:///srv/models/./a.onnx",
    "an empty name": "file:///srv/models//a.onnx",
    "a backslash": "file:///srv/models/..\\other",
    "a host": "file://host/srv/models/a.onnx",
    "this host": "file://localhost/srv/models/a.onnx",
    "a relative path": "file:srv/models/a.onnx",
    "a bare path": "/srv/models/a.onnx",
    "capitals in the scheme": "FILE:///srv/models/a.onnx",
    "another scheme": "http://169.254.169.254/latest/meta-data",
    "a scheme that reads files": "local:///srv/models/a.onnx",
    "a chain": "simplecache::file:///srv/models/a.onnx",
    "a chain behind": "file:///srv/models/a.zip::file:///etc/passwd",
    "another bucket": "s3://other/team/a.onnx",
    "a bucket whose name begins alike": "s3://bucket-2/team/a.onnx",
    "another key": "s3://bucket/teams/a.onnx",
    "the bucket above": "s3://bucket/team/../other/a.onnx",
    "a user": "s3://user:password@bucket/team/a.onnx",
    "a version": "s3://bucket/team/a.onnx?versionId=1",
    "a fragment": "s3://bucket/team/a.onnx#1",
    "a pattern": "s3://bucket/team/*.onnx",
    "another pattern": "s3://bucket/team/[ab].onnx",
    "a line break": "file:///srv/models/a\n.onnx",
    "a zero": "file:///srv/models/a\0.onnx",
    "a long one": "file:///srv/models/" + "a" * 2048,
    "nothing": "",
}


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED)
def test_what_leads_or_may_lead_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(UriRefused):
        ALLOWED.require(uri)


def test_without_prefixes_nothing_is_allowed() -> None:
    assert StoreSettings().allowed_uris.prefixes == ()
    with pytest.raises(UriRefused, match="this service allows none"):
        AllowedUris([]).require("file:///srv/models/a.onnx")


def test_a_whole_disk_and_a_whole_bucket_can_be_allowed() -> None:
    allowed = AllowedUris(["file:///", "s3://bucket/"])
    assert allowed.require("file:///a").path == "/a"
    assert allowed.require("s3://bucket/a").path == "a"


def test_prefixes_are_settings_and_bad_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROPAUDIT_MODEL_PREFIXES", "file:///srv/models , s3://bucket")
    allowed = StoreSettings().allowed_uris
    assert [prefix.text for prefix in allowed.prefixes] == ["file:///srv/models", "s3://bucket"]
    monkeypatch.setenv("DROPAUDIT_MODEL_PREFIXES", "https://example.com/models")
    with pytest.raises(ValidationError, match="must be file:///"):
        StoreSettings()
