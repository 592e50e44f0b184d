"""Claims about applying a document: checked as a whole, and done once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dropaudit_client.documents.applying import keys_of, prepare
from dropaudit_client.documents.difference import Action
from dropaudit_client.documents.problems import InvalidDocument
from dropaudit_client.errors import ServiceError
from dropaudit_proto.v1 import audit_pb2 as pb

DOCUMENT = """\
owner: o
suites:
  a:
    members:
      - glob: "*.onnx"
    notifications:
      - {webhook_url: "https://a.example/", secret_from: KEY}
  b:
    schedule: {cron: "0 3 * * *"}
"""


class Service:
    """Suites in a dictionary; refuses what a test says."""

    def __init__(self) -> None:
        self.suites: dict[str, pb.Suite] = {}
        self.calls: list[str] = []
        self.refusals: dict[str, ServiceError] = {}

    def stored_suites(self) -> Iterator[pb.Suite]:
        yield from self.suites.values()

    def put_suite(self, suite: pb.Suite, fields: Sequence[str], *, validate_only: bool) -> None:
        if suite.name in self.refusals:
            raise self.refusals[suite.name]
        if validate_only:
            return
        self.calls.append(f"put {suite.name} {' '.join(fields)} {suite.etag}".strip())
        kept = pb.Suite()
        kept.CopyFrom(suite)
        kept.etag = f"{suite.etag}1"
        for each in kept.notifications:
            each.ClearField("secret")
        self.suites[suite.name] = kept

    def drop_suite(self, name: str, etag: str) -> None:
        self.calls.append(f"drop {name} {etag}")
        del self.suites[name]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "suites.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


ENVIRON = {"KEY": "hush"}


def test_applied_twice_it_changes_nothing(path: Path) -> None:
    service = Service()
    first = prepare(path, service, ENVIRON, prune=False)
    assert service.calls == []
    first.apply()
    assert service.calls == ["put suites/a", "put suites/b"]
    again = prepare(path, service, ENVIRON, prune=True)
    assert again.changes_nothing
    again.apply()
    assert len(service.calls) == 2


def test_a_change_is_an_update_of_its_fields_and_what_is_gone_is_pruned_on_demand(path: Path) -> None:
    service = Service()
    prepare(path, service, ENVIRON, prune=False).apply()
    path.write_text(DOCUMENT.partition("  b:")[0].replace("*.onnx", "*.pb"), encoding="utf-8")
    assert [each.action for each in prepare(path, service, ENVIRON, prune=False).changes] == [
        Action.UPDATE,
        Action.LEFT,
    ]
    prepare(path, service, ENVIRON, prune=True).apply()
    assert service.calls[2:] == ["put suites/a members 1", "drop suites/b 1"]
    assert list(service.suites) == ["suites/a"]


def test_what_the_service_finds_wrong_is_told_by_line_and_nothing_is_half_applied(path: Path) -> None:
    service = Service()
    wrong = [("suite.members[0].glob.pattern", "matches too much"), ("suite.notifications[0].webhook_url", "private")]
    service.refusals["suites/a"] = ServiceError("INVALID_REQUEST", "wrong", "INVALID_ARGUMENT", violations=wrong)
    service.refusals["suites/b"] = ServiceError("TOO_MANY", "there are too many suites", "FAILED_PRECONDITION")
    with pytest.raises(InvalidDocument) as caught:
        prepare(path, service, ENVIRON, prune=True)
    assert [f"{each.line} {each}" for each in caught.value.problems] == [
        "5 suites.a.members[0].glob.pattern: matches too much",
        "7 suites.a.notifications[0].webhook_url: private",
        "8 suites.b: there are too many suites",
    ]
    assert service.calls == []


def test_a_service_that_does_not_answer_is_no_mistake_of_the_document(path: Path) -> None:
    service = Service()
    service.refusals["suites/a"] = ServiceError("SERVICE_UNAVAILABLE", "away", "UNAVAILABLE")
    with pytest.raises(ServiceError, match="away"):
        prepare(path, service, ENVIRON, prune=True)


def test_a_key_that_is_not_set_is_told_by_its_line(path: Path) -> None:
    with pytest.raises(InvalidDocument, match=r":7: .*secret_from: the environment variable KEY is not set"):
        prepare(path, Service(), {}, prune=True)


@pytest.mark.parametrize(
    ("field", "keys"),
    [
        ("suite.members[12].glob.pattern", ("members", 12, "glob", "pattern")),
        ("suite", ()),
        ("schedule.cron", ("schedule", "cron")),
        ("", ()),
    ],
)
def test_fields_of_the_service_are_keys_of_the_document(field: str, keys: tuple[str | int, ...]) -> None:
    assert keys_of(field) == keys
