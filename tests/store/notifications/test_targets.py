"""Claims about where notifications may go."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from dropaudit_store.notifications.targets import (
    ForbiddenTarget,
    Target,
    UnreachableTarget,
    checked_addresses,
    is_allowed,
    parse_target,
)


@pytest.mark.parametrize(
    ("url", "target", "header"),
    [
        ("https://example.com/hook?a=b", Target("https", "example.com", 443, "/hook?a=b"), "example.com"),
        ("http://example.com", Target("http", "example.com", 80, "/"), "example.com"),
        ("HTTPS://Example.COM:8443/x#part", Target("https", "example.com", 8443, "/x"), "example.com:8443"),
        ("http://[2606:4700::1111]:80/", Target("http", "2606:4700::1111", 80, "/"), "[2606:4700::1111]"),
    ],
)
def test_a_url_is_taken_apart(url: str, target: Target, header: str) -> None:
    assert parse_target(url) == target
    assert parse_target(url).host_header == header


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX-Injected: 1",
        "https://exämple.com/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_what_is_no_url_for_notifications_is_forbidden(url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        parse_target(url)


INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.7",
    "198.18.0.1",
    "::1",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]
NOWHERE = ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"]
OUTSIDE = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", INSIDE)
def test_addresses_inside_are_allowed_only_where_the_operator_says_so(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert not is_allowed(address, allow_private=False)
    assert is_allowed(address, allow_private=True)


@pytest.mark.parametrize("text", NOWHERE)
def test_addresses_of_nobody_and_of_many_are_never_allowed(text: str) -> None:
    assert not is_allowed(ipaddress.ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", OUTSIDE)
def test_addresses_outside_are_allowed(text: str) -> None:
    assert is_allowed(ipaddress.ip_address(text), allow_private=False)


def test_one_address_inside_is_enough_to_refuse_a_host() -> None:
    target = parse_target("https://example.com/")
    with pytest.raises(ForbiddenTarget, match=r"example.com has the address 10.0.0.1"):
        checked_addresses(target, allow_private=False, resolving=lambda *_: ["1.1.1.1", "10.0.0.1"])
    found = checked_addresses(target, allow_private=False, resolving=lambda *_: ["1.1.1.1", "8.8.8.8"])
    assert [str(each) for each in found] == ["1.1.1.1", "8.8.8.8"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"])
def test_this_machine_is_known_however_it_is_spelled(host: str) -> None:
    with pytest.raises(ForbiddenTarget):
        checked_addresses(parse_target(f"http://{host}/"), allow_private=False)


def test_a_host_without_an_address_is_unreachable() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    target = parse_target("https://example.com/")
    with pytest.raises(UnreachableTarget, match="Name or service not known"):
        checked_addresses(target, allow_private=False, resolving=unknown)
    with pytest.raises(UnreachableTarget, match="has no address"):
        checked_addresses(target, allow_private=False, resolving=lambda *_: [])
