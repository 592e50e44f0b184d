"""Which URIs of models an operator allows. They are plain: what is compared is what is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dropaudit_store.errors import UriRefused

_LONGEST = 2048
_FORM = re.compile(r"file://(?P<file>/.*)|s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<key>/.*)?", re.DOTALL)
# Escapes, queries, versions, patterns, chained file systems: whatever some layer below could read as another place.
_NOT_PLAIN = re.compile(r"[%?#*\[\]{}\\\x00-\x1f\x7f]|::")


@dataclass(frozen=True, slots=True)
class Uri:
    """A plain URI, in parts; `bucket` is empty for a file."""

    text: str
    bucket: str
    segments: tuple[str, ...]

    @property
    def path(self) -> str:
        """Path of a file, or key in a bucket."""
        return ("" if self.bucket else "/") + "/".join(self.segments)

    def is_below(self, prefix: Uri) -> bool:
        """Whether this lies below a prefix, whole names compared."""
        depth = len(prefix.segments)
        return self.bucket == prefix.bucket and self.segments[:depth] == prefix.segments and len(self.segments) > depth

    def is_same(self, other: Uri) -> bool:
        """Whether this is another's place."""
        return (self.bucket, self.segments) == (other.bucket, other.segments)


def parse(text: str) -> Uri:
    """Read a URI. Raises UriRefused when it is not plain."""
    found = _FORM.fullmatch(text)
    if found is None or len(text) > _LONGEST:
        raise UriRefused(f"must be file:///… or s3://bucket/…, {_LONGEST} characters at most")
    if unusual := _NOT_PLAIN.search(text):
        raise UriRefused(f"{unusual[0]!r} cannot be used; write the plain name, without escapes, queries and patterns")
    segments = tuple((found["file"] or found["key"] or "/").removeprefix("/").split("/"))
    if segments == ("",):
        segments = ()
    if any(segment in ("", ".", "..") for segment in segments):
        raise UriRefused("no part of the path may be empty, '.' or '..'")
    return Uri(text, found["bucket"] or "", segments)


def _prefix(text: str) -> Uri:
    """Read a prefix, where a slash at the end of a path changes nothing."""
    return parse(text if text == "file:///" else text.removesuffix("/"))


class AllowedUris:
    """The URIs below an operator's prefixes; without prefixes, none."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self.prefixes = tuple(map(_prefix, prefixes))

    def require(self, text: str) -> Uri:
        """Return a URI in parts. Raises UriRefused when it is not plain, or not allowed."""
        uri = parse(text)
        if not any(uri.is_below(prefix) for prefix in self.prefixes):
            raise UriRefused(f"is not below {self._named()}; upload the file, or ask the operator to allow its place")
        return uri

    def require_folder(self, text: str) -> Uri:
        """Return the URI of a folder, which may be a prefix itself. Raises UriRefused when it is not allowed."""
        uri = _prefix(text)
        if not any(uri.is_below(prefix) or uri.is_same(prefix) for prefix in self.prefixes):
            raise UriRefused(f"is not below {self._named()}; ask the operator to allow its place")
        return uri

    def _named(self) -> str:
        if not self.prefixes:
            return "any allowed prefix, since this service allows none"
        return " or ".join(prefix.text for prefix in self.prefixes)
