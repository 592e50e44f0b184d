"""Claims about how a version of a model is written."""

from __future__ import annotations

import pytest

from dropaudit_client.naming.references import Reference, read_reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lstm.onnx", Reference("lstm.onnx")),
        ("lstm.onnx:3", Reference("lstm.onnx", version=3)),
        ("lstm.onnx@production", Reference("lstm.onnx", alias="production")),
        ("a:b:12", Reference("a:b", version=12)),
        ("a@b@c", Reference("a@b", alias="c")),
        # Neither is a number or an alias: a name may hold anything.
        ("lstm:latest", Reference("lstm:latest")),
        ("lstm:0", Reference("lstm:0")),
        ("lstm@Prod", Reference("lstm@Prod")),
        ("@x", Reference("@x")),
        ("a\nb:2", Reference("a\nb", version=2)),
        ("", Reference("")),
    ],
)
def test_a_reference_is_a_name_and_what_is_said_of_its_version(text: str, expected: Reference) -> None:
    assert read_reference(text) == expected
