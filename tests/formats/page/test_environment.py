from __future__ import annotations

from dropaudit_formats.page.environment import embedded


def test_an_embedded_document_is_compact_json_that_no_parser_takes_for_markup() -> None:
    assert embedded({"a": "</script>&", "b": [1, 2]}) == r'{"a":"\u003c/script\u003e\u0026","b":[1,2]}'
