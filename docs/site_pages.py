"""Adds to the site what does not live in docs/: README, other root files, findings, records and the Python reference.

A hook of mkdocs. Files are read where they are, and links between them are rewritten for their place on the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
AT_ROOT = {"README.md": "index.md", **{name: name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")}}
"""Files of the repository's root, and where they are on the site."""
REFERENCE = {
    "The library": [
        f"dropaudit.{name}"
        for name in ("audit", "subjects", "plan", "report", "findings", "explain", "inputs", "errors")
    ],
    "Statistics": [
        f"dropaudit.stats.{path.stem}" for path in sorted((ROOT / "core/dropaudit/stats").glob("[a-z]*.py"))
    ],
    "The client": [f"dropaudit_client.{name}" for name in ("client", "aio", "resources", "channel", "errors")],
}
"""Pages of the Python reference, and the modules on each."""
_LINK = re.compile(r"(\]\()(?!\w+:|#|/)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add sections to the navigation, each with all its pages."""
    places = [place for place, _ in pages()]
    decisions = [path.relative_to(ROOT / "docs").as_posix() for path in sorted((ROOT / "docs/decisions").glob("0*.md"))]
    config.nav = [
        *(config.nav or []),
        {"Findings": [place for place in places if place.startswith("findings/")]},
        {"Python reference": [place for place in places if place.startswith("reference/")]},
        {"Records": [place for place in places if place.startswith("benchmarks/")]},
        {"Decisions": ["decisions/README.md", *decisions]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for place, content in pages():
        files.append(File.generated(config, place, content=content))
    files.append(
        File.generated(config, "benchmarks/scaling.svg", abs_src_path=str(ROOT / "benchmarks" / "scaling.svg"))
    )
    return files


def pages() -> Iterator[tuple[str, str]]:
    """Yield the place of each page on the site, and its Markdown."""
    for name, place in AT_ROOT.items():
        yield place, relinked(_text(name), name, place)
    for path in sorted((ROOT / "benchmarks").glob("*.md")):
        name = f"benchmarks/{path.name}"
        yield name, relinked(_text(name), name, name)
    yield from _findings()
    yield from _reference()
    yield "examples.md", _examples()


def _findings() -> Iterator[tuple[str, str]]:
    found = sorted((ROOT / "core/dropaudit/explanations").glob("*.md"))
    titles = {path.stem: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for path in found}
    rows = "\n".join(f"- [{title}]({code}.md)" for code, title in titles.items())
    yield "findings/index.md", f"# Findings\n\nAlso printed by `dropaudit explain CODE`.\n\n{rows}\n"
    for path in found:
        yield f"findings/{path.name}", path.read_text(encoding="utf-8")


def _examples() -> str:
    """Return the table of the examples, and their text: on the site there are no files to link to."""
    table = re.sub(r"\[([\w./]+)\]\([\w./]+\)", r"`\1`", _text("examples/README.md"))
    languages = {"py": "python", "sh": "sh", "ts": "ts"}
    found = [path for each in languages for path in sorted((ROOT / "examples").glob(f"**/*.{each}"))]
    parts = [
        f"## {path.name}\n\n```{languages[path.suffix[1:]]}\n{path.read_text(encoding='utf-8')}```"
        for path in found
        if "node_modules" not in path.parts and "build" not in path.parts
    ]
    return "\n\n".join([table.strip(), *parts]) + "\n"


def _reference() -> Iterator[tuple[str, str]]:
    rows = []
    for title, modules in REFERENCE.items():
        place = f"{title.lower().replace(' ', '-')}.md"
        rows.append(f"- [{title}]({place})")
        yield f"reference/{place}", "\n\n".join([f"# {title}", *(f"::: {module}" for module in modules)]) + "\n"
    yield "reference/index.md", "# Python reference\n\n" + "\n".join(rows) + "\n"


def relinked(text: str, name: str, place: str) -> str:
    """Rewrite relative links of a repository file for its place on the site.

    Args:
        text: Markdown.
        name: path in the repository.
        place: path on the site.
    """

    def target(match: re.Match[str]) -> str:
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))
        there = AT_ROOT.get(wanted, wanted.removeprefix("docs/"))
        if wanted == "examples/README.md":
            there = "examples.md"
        return match[1] + posixpath.relpath(there, posixpath.dirname(place) or ".")

    return _LINK.sub(target, text)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
