"""Claims about the dashboard in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
import redis
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from dropaudit.plan import Phase, Progress, TestProgress
from dropaudit.report import Interval, to_json
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from support.batches import Batches
from support.browser import complaints, look_as, show
from support.calls import recorded_request, upload
from support.clock import RealTime
from support.handwork import succeed
from support.looks import barriers, overflowing
from support.reports import finding, report_with
from support.services import dashboard, eventually
from support.suite_calls import create, ended, run

HOSTILE = "</title><script>window.owned=1</script>\u202e" + "n" * 150


@pytest.fixture(scope="module")
def site(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a dashboard, and the address of its service."""
    with dashboard(shared_redis, tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture
def stub(site: tuple[str, str], redis_url: str) -> Iterator[AuditServiceStub]:
    """The service behind it, with nothing stored."""
    with grpc.insecure_channel(site[1]) as channel:
        yield AuditServiceStub(channel)


@pytest.fixture
def store(redis_client: redis.Redis) -> AuditStore:
    """The parts that a worker uses."""
    return AuditStore(redis_client)


@pytest.fixture(autouse=True)
def silence(chrome: Chrome) -> None:
    """Forget what the browser has complained of in other tests."""
    complaints(chrome)


def words(chrome: Chrome) -> str:
    # While a page is loaded anew, there is none.
    found: str = chrome.execute_script("return document.querySelector('main')?.innerText ?? ''")
    return found


def undecided(width: float) -> Progress:
    interval = Interval(estimate=0.5, lower=0.5 - width, upper=0.5 + width)
    return Progress(
        phase=Phase.SAMPLING,
        replicates=int(10 / width),
        max_replicates=65536,
        total_tests=2,
        decided_tests=1,
        tests=(TestProgress(HOSTILE, "keepProb", interval, False),),
    )


def test_a_running_audit_is_followed_by_one_stream_until_its_report_is_there(
    chrome: Chrome, site: tuple[str, str], stub: AuditServiceStub, store: AuditStore
) -> None:
    name = stub.CreateAudit(recorded_request()).name
    show(chrome, f"{site[0]}/{name}", 1280)
    assert "Waiting for a worker." in words(chrome)
    lease = store.claim(name.removeprefix("audits/"), 30.0)
    assert lease is not None
    for width in (0.4, 0.1):
        store.progress(lease, undecided(width))
        told = f"[{0.5 - width:.4f}, {0.5 + width:.4f}]"
        eventually(lambda told=told: told in words(chrome), f"{told} is not shown")  # type: ignore[misc]
    assert "RUNNING" in words(chrome)
    assert "100 of at most 65,536" in words(chrome)
    assert "1 test undecided" in words(chrome)
    streams = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('/events')).length"
    assert chrome.execute_script(streams) <= 1
    assert chrome.execute_script("return window.owned === undefined")
    store.succeed(lease, {"verdict": "PASS", "summary": "All is well.", "execution": {"provider": "cpu"}})
    eventually(lambda: "All is well." in words(chrome), "the report is not shown")
    assert complaints(chrome) == []


def nobody_is_barred(chrome: Chrome, url: str) -> None:
    """Require that a page is whole and can be read in both widths, by day and by night, and runs nobody's program."""
    for is_dark in (False, True):
        show(chrome, url, 390, is_dark=is_dark)
        assert overflowing(chrome) == []
        assert barriers(chrome) == []
        look_as(chrome, 1280, is_dark=is_dark)
        assert overflowing(chrome) == []
    assert chrome.execute_script("return window.owned === undefined")


def test_nothing_bars_anybody_on_any_page_of_any_width_by_day_and_by_night(
    chrome: Chrome, site: tuple[str, str], stub: AuditServiceStub, store: AuditStore
) -> None:
    upload(stub, b"not looked at here", display_name=HOSTILE)
    waiting, done = (stub.CreateAudit(recorded_request()).name for _ in range(2))
    succeed(store, done)
    for path in ("/", f"/{waiting}", f"/{done}", "/models", "/suites", "/login", "/?filter=nonsense"):
        nobody_is_barred(chrome, site[0] + path)


def test_a_running_run_is_followed_by_one_stream_until_it_is_concluded(
    chrome: Chrome, site: tuple[str, str], stub: AuditServiceStub, redis_client: redis.Redis
) -> None:
    worker = Batches(redis_client, RealTime())
    for name in ("a.onnx", "b.onnx"):
        upload(stub, name.encode(), display_name=name)
    create(stub)
    made = run(stub)
    show(chrome, f"{site[0]}/{made.name}", 1280)
    assert "2 members, 2 queued" in words(chrome)
    record = worker.runs.read.get("nightly", made.name.rpartition("/")[2])
    lease = worker.audits.claim(worker.requests(record)[0].id, 30.0)
    eventually(lambda: "1 running, 1 queued" in words(chrome), "the counts are not shown")
    assert lease is not None
    worker.audits.succeed(lease, to_json(report_with()))
    eventually(lambda: "1 PASS, 1 queued" in words(chrome), "the end of one is not shown")
    streams = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('/events')).length"
    assert chrome.execute_script(streams) <= 1
    worker.finish(record, {"b.onnx": report_with(finding("DA301", "drop"))})
    worker.conclude(record)
    eventually(lambda: "FINISHED" in words(chrome), "the end is not shown")
    assert "DA301 was measured." in words(chrome)
    chrome.find_element(By.LINK_TEXT, "The whole report").click()
    eventually(lambda: "How it was made" in words(chrome), "the report is not shown")
    chrome.find_element(By.LINK_TEXT, "b.onnx").click()
    eventually(lambda: "Outputs" in words(chrome), "the member's report is not shown")
    assert complaints(chrome) == []


def test_nothing_bars_anybody_on_pages_of_runs_and_models(
    chrome: Chrome, site: tuple[str, str], stub: AuditServiceStub, redis_client: redis.Redis
) -> None:
    worker = Batches(redis_client, RealTime())
    upload(stub, b"one", display_name="m.onnx")
    upload(stub, b"two", display_name=HOSTILE.replace("\u202e", ""))
    create(stub)
    ended(stub, worker)
    upload(stub, b"three", display_name="m.onnx")
    found = ended(stub, worker, {"m.onnx": report_with(finding("DA301", "drop"))})
    for path in (f"/{found.name}", "/suites/nightly", "/models", "/models/named?name=m.onnx", "/models/contents"):
        nobody_is_barred(chrome, site[0] + path)
    assert complaints(chrome) == []


def test_a_report_is_shown_whole(
    chrome: Chrome, site: tuple[str, str], stub: AuditServiceStub, store: AuditStore
) -> None:
    name = stub.CreateAudit(recorded_request()).name
    succeed(store, name)
    show(chrome, f"{site[0]}/", 1280)
    chrome.find_element(By.LINK_TEXT, name).click()
    chrome.find_element(By.LINK_TEXT, "The whole report").click()
    eventually(lambda: "How it was made" in words(chrome), "the report is not shown")
    assert complaints(chrome) == []
