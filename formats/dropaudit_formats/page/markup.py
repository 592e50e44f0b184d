"""The long forms of findings, which are Markdown, as HTML."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

# Raw HTML is shown, not passed on.
_READER = MarkdownIt("commonmark", {"html": False})


def html_of(markdown: str) -> Markup:
    """Return Markdown as HTML; who has no pointer can scroll its programs too."""
    return Markup(_READER.render(markdown).replace("<pre>", '<pre tabindex="0">'))
