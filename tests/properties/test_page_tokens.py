"""Properties of pages: a token leads on in its own list only, whatever is sent is answered, and pages lose nothing."""

from __future__ import annotations

import base64
import string

from hypothesis import given
from hypothesis import strategies as st

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.paging import Page, fitting, page_of
from dropaudit_server.requests.violations import Violations
from dropaudit_store.shared.byte_limits import PAGE_BYTES

CURSORS = st.text(st.characters(min_codepoint=0, max_codepoint=127), min_size=1, max_size=700)
SCOPES = st.lists(st.text(max_size=20), max_size=3)


def asked(token: str, scope: list[str], size: int = 0) -> tuple[Page, Violations]:
    violations = Violations()
    return page_of(pb.ListAuditsRequest(page_token=token, page_size=size), *scope, violations=violations), violations


def fields(violations: Violations) -> list[str]:
    return [each.field for each in violations.found]


@given(cursor=CURSORS, scope=SCOPES)
def test_a_token_brings_its_cursor_back(cursor: str, scope: list[str]) -> None:
    first, _ = asked("", scope)
    page, violations = asked(first.token(cursor), scope)
    assert (page.cursor, fields(violations)) == (cursor, [])


@given(cursor=CURSORS, scope=SCOPES, other=SCOPES)
def test_a_token_is_refused_by_every_other_list(cursor: str, scope: list[str], other: list[str]) -> None:
    first, _ = asked("", scope)
    page, violations = asked(first.token(cursor), other)
    same = "\n".join(scope) == "\n".join(other)
    assert (page.cursor, fields(violations)) == ((cursor, []) if same else ("", ["page_token"]))


@given(token=st.one_of(st.text(min_size=1), st.text(string.ascii_letters + string.digits + "-_=", min_size=1)))
def test_any_text_for_a_token_is_refused_and_raises_nothing(token: str) -> None:
    page, violations = asked(token, ["audits"])
    assert (page.cursor, fields(violations)) == ("", ["page_token"])


@given(cursor=CURSORS, place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_a_token_with_a_flipped_bit_in_its_digest_is_refused(cursor: str, place: int, bit: int) -> None:
    first, _ = asked("", ["audits"])
    token = first.token(cursor)
    content = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    content[place % 8] ^= 1 << bit
    changed = base64.urlsafe_b64encode(bytes(content)).decode().rstrip("=")
    assert fields(asked(changed, ["audits"])[1]) == ["page_token"]


@given(size=st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_a_page_has_from_1_to_1000_entries_or_is_refused(size: int) -> None:
    page, violations = asked("", [], size)
    assert fields(violations) == (["page_size"] if size < 0 else [])
    if size >= 0:
        assert page.size == min(size or 50, 1000)


@given(sizes=st.lists(st.integers(min_value=0, max_value=PAGE_BYTES * 5 // 4), min_size=1, max_size=6))
def test_pages_hold_every_message_once_in_order_and_are_small_or_single(sizes: list[int]) -> None:
    messages = [(pb.Failure(message="x" * size), str(number + 1)) for number, size in enumerate(sizes)]
    start, seen = 0, []
    while start < len(messages):
        kept, following = fitting(iter(messages[start:]), "end")
        assert len(kept) == 1 or sum(each.ByteSize() for each in kept) <= PAGE_BYTES
        seen += kept
        start = len(messages) if following == "end" else int(following)
        assert start == len(seen)
    assert [len(each.message) for each in seen] == sizes
