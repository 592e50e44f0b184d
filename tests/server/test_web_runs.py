"""Claims about the dashboard's pages of suites, runs and models."""

from __future__ import annotations

import re
from collections.abc import Iterator

import grpc
import pytest

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from server.test_web import asked
from support.batches import Batches, failing
from support.calls import upload
from support.reports import finding
from support.services import dashboard
from support.suite_calls import create, ended, run

HOSTILE = "</title><script>alert(1)</script>&\u202e.onnx"


@pytest.fixture(scope="module")
def site_and_address(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a dashboard, and the address of its service."""
    with dashboard(shared_redis, tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture
def site(site_and_address: tuple[str, str]) -> str:
    return site_and_address[0]


@pytest.fixture
def stub(site_and_address: tuple[str, str], redis_url: str) -> Iterator[AuditServiceStub]:
    """The service behind it, with nothing stored."""
    with grpc.insecure_channel(site_and_address[1]) as channel:
        yield AuditServiceStub(channel)


def test_a_run_shows_what_changed_its_members_with_trends_and_leads_to_their_reports(
    site: str, stub: AuditServiceStub, worker: Batches
) -> None:
    for name in ("a.onnx", "b.onnx"):
        upload(stub, name.encode(), display_name=name)
    create(stub)
    first = ended(stub, worker)
    upload(stub, b"another", display_name="b.onnx")
    second = ended(stub, worker, {"b.onnx": failing(finding("DA301", "drop"))})
    page = asked(f"{site}/{second.name}").text
    assert f'href="/{first.name}"' in page
    assert "1 new finding" in page
    assert page.index("b.onnx") < page.index("a.onnx")
    assert page.count('class="trend"') == 2
    (failed,) = [each.audit for each in second.audits if each.verdict == pb.Report.FAIL]
    assert f'href="/{failed}/report"' in page
    assert asked(f"{site}/{failed}/report").status == 200
    whole = asked(f"{site}/{second.name}/report")
    assert "script-src 'sha256-" in whole.headers["Content-Security-Policy"]
    assert f'href="/{failed}/report"' in whole.text
    assert asked(f"{site}/{second.name}/report?form=sarif").headers["Content-Type"] == "application/sarif+json"
    assert f'href="/{second.name}"' in asked(f"{site}/suites/nightly").text


def test_a_run_that_goes_on_is_followed_by_one_stream(site: str, stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="a.onnx")
    create(stub)
    made = run(stub)
    page = asked(f"{site}/{made.name}").text
    assert re.findall(r'data-run="([^"]+)"', page) == [f"/{made.name}/events"]
    assert "data-events" not in page
    assert "1 member, 1 queued" in page


def test_of_very_many_members_the_gravest_are_shown_and_the_rest_is_counted(
    site: str, stub: AuditServiceStub, worker: Batches
) -> None:
    for number in range(230):
        upload(stub, f"{number}".encode(), display_name=f"{number:03}.onnx")
    create(stub)
    found = ended(stub, worker, {"229.onnx": failing(finding("DA301", "drop"))})
    page = asked(f"{site}/{found.name}").text
    assert page.count("<tr data-word") == 200
    assert page.index("229.onnx") < page.index("000.onnx")
    assert "30 more are in" in page


def test_a_model_shows_its_versions_how_each_was_audited_and_its_sites(
    site: str, stub: AuditServiceStub, worker: Batches
) -> None:
    upload(stub, b"one", display_name="m.onnx")
    create(stub)
    ended(stub, worker)
    upload(stub, b"two", display_name="m.onnx")
    ended(stub, worker, {"m.onnx": failing(finding("DA301", "drop"))})
    stub.SetModelAlias(pb.SetModelAliasRequest(display_name="m.onnx", alias="production", version=1))
    listed = asked(f"{site}/models").text
    assert 'href="/models/named?name=m.onnx"' in listed
    assert "2 of 2" in listed
    page = asked(f"{site}/models/named?name=m.onnx").text
    rows = re.findall(r'<th scope="row">(\d)</th>.*?</tr>', page, re.DOTALL)
    assert rows == ["2", "1"]
    assert page.index("FAIL") < page.index("production")
    assert "As the last audit measured them" in page
    assert "loop/body/drop" in page


def test_sites_that_nobody_has_looked_at_are_not_waited_for(site: str, stub: AuditServiceStub) -> None:
    upload(stub, b"one", display_name="m.onnx")
    assert "No worker has looked at it yet." in asked(f"{site}/models/named?name=m.onnx").text


def test_hostile_names_are_harmless_on_every_page(site: str, stub: AuditServiceStub, worker: Batches) -> None:
    upload(stub, b"one", display_name=HOSTILE)
    create(stub, display_name=HOSTILE)
    found = ended(stub, worker, {HOSTILE: failing(finding("DA301", HOSTILE))})
    (link,) = re.findall(r'href="(/models/named\?name=[^"]+)"', asked(f"{site}/models").text)
    for path in ("/models", link, "/models/contents", "/suites", "/suites/nightly", f"/{found.name}"):
        answer = asked(site + path)
        assert answer.status == 200
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
