from __future__ import annotations

import json

from dropaudit_formats.not_made import ErrorDocument


def test_an_error_lists_problems_only_where_there_are_any() -> None:
    plain = json.loads(ErrorDocument("UNREADABLE_FILE", "cannot read m.onnx").as_json())
    assert plain == {"error": {"reason": "UNREADABLE_FILE", "message": "cannot read m.onnx"}}
    several = json.loads(ErrorDocument("INVALID_DOCUMENT", "2 problems", [{"line": 3}]).as_json())
    assert several["error"]["problems"] == [{"line": 3}]
