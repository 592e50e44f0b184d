"""Claims about patterns of URIs."""

from __future__ import annotations

import pytest

from dropaudit_worker.outside.patterns import UriPattern, read_pattern


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file:///models/*.onnx", UriPattern("file:///models", ("*.onnx",))),
        ("s3://bucket/a/b-*/**/m.onnx", UriPattern("s3://bucket/a", ("b-*", "**", "m.onnx"))),
        ("s3://bucket/*", UriPattern("s3://bucket", ("*",))),
        ("file:///models/a.onnx", UriPattern("file:///models", ("a.onnx",))),
    ],
)
def test_a_pattern_is_a_folder_and_a_pattern_for_each_part_below(text: str, expected: UriPattern) -> None:
    assert read_pattern(text) == expected


@pytest.mark.parametrize(
    ("parts", "path", "fits"),
    [
        (("*.onnx",), "a.onnx", True),
        (("*.onnx",), "b/a.onnx", False),
        (("**", "*.onnx"), "a.onnx", True),
        (("**", "*.onnx"), "b/c/a.onnx", True),
        (("**", "b", "**", "*.onnx"), "a/b/c/d.onnx", True),
        (("**", "b", "**", "*.onnx"), "a/c/d.onnx", False),
        (("**",), "a/b", True),
        (("a", "**"), "a", True),
        (("?", "[0-9]"), "a/1", True),
        (("?", "[0-9]"), "a/x", False),
        (("*.ONNX",), "a.onnx", False),
    ],
)
def test_two_stars_stand_for_any_number_of_parts_and_one_for_part_of_one(
    parts: tuple[str, ...], path: str, fits: bool
) -> None:
    assert UriPattern("file:///models", parts).fits(path.split("/")) is fits


def test_many_stars_take_no_longer_than_few() -> None:
    assert not UriPattern("f", ("**",) * 200 + ("x",)).fits(["a"] * 200)
