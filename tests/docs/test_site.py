"""Claims about the site of `make site`: it builds strict, without a network, and holds every finding and module."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dropaudit.findings import CATALOGUE
from support.documents import ROOT

# No proxy and no resolver answers there: whoever tries to fetch something fails.
OFFLINE = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, **OFFLINE, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "WARNING" not in ended.stderr
    return folder


def test_it_has_a_page_for_every_finding(site: Path) -> None:
    assert {path.parent.name for path in site.glob("findings/*/index.html")} == set(CATALOGUE)


def test_its_reference_documents_what_the_library_exports(site: Path) -> None:
    page = (site / "reference" / "the-library" / "index.html").read_text(encoding="utf-8")
    for name in ("audit.audit", "plan.Plan", "subjects.PairSubject", "report.Report"):
        assert f'id="dropaudit.{name}"' in page


def test_a_reader_fetches_nothing_from_elsewhere(site: Path) -> None:
    fetched = re.compile(r'<(?:script|img|iframe)[^>]+src="https?:|<link[^>]+rel="stylesheet"[^>]+href="https?:')
    assert not [path for path in site.rglob("*.html") if fetched.search(path.read_text(encoding="utf-8"))]


def test_links_of_the_readme_lead_to_pages(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    targets = {target for target in re.findall(r'href="([^"#:]+)"', index) if target.endswith("/")}
    assert {"api/", "benchmarks/", "SECURITY/", "glossary/"} <= targets
    assert not [target for target in targets if not (site / target / "index.html").exists()]
