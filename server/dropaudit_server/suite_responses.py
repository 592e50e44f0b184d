"""From records of suites to messages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format

from dropaudit.shortening import cut
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.members.responses import members
from dropaudit_server.requests.paging import Page, fitting
from dropaudit_server.requests.suite_receivers import notifications
from dropaudit_server.requests.suite_schedules import schedule
from dropaudit_server.responses import options, timestamp
from dropaudit_store.audits.ids import member
from dropaudit_store.records import Suite, run_name
from dropaudit_store.shared.byte_limits import NAME_BYTES
from dropaudit_store.suites import etag_of


def suites(found: tuple[Iterable[Suite], str, Mapping[str, str]], page: Page) -> pb.ListSuitesResponse:
    """Return the message of a page of suites, the cursor of the next, and the newest run of each that has one."""
    records, following, newest = found
    messages = (
        (suite(each, newest.get(each.id, ""), whole=page.whole), member(each.create_time, each.id)) for each in records
    )
    kept, cursor = fitting(messages, following)
    return pb.ListSuitesResponse(suites=kept, next_page_token=page.token(cursor))


def suite(record: Suite, newest: str = "", *, whole: bool = True) -> pb.Suite:
    """Return the message of a suite; its members and accepted findings only with the whole of it.

    What an earlier version stored may be of any size, and is cut here: the record must stay as it is to be changed.

    Args:
        newest: id of its newest run.
    """
    message = pb.Suite(
        name=f"suites/{record.id}",
        display_name=cut(record.display_name, NAME_BYTES),
        members=members(record) if whole else (),
        options=options(record.plan),
        schedule=schedule(record, time.time()),
        baseline=run_name(record.id, record.baseline) if record.baseline else "",
        notifications=notifications(record.targets),
        labels=record.labels,
        create_time=timestamp(record.create_time),
        update_time=timestamp(record.update_time),
        etag=etag_of(record),
        always_audit=record.always_audit,
        last_run=run_name(record.id, newest) if newest else "",
    )
    message.accepted_findings.extend(map(_accepted, record.accepted if whole else ()))
    return message


def _accepted(kept: Mapping[str, Any]) -> pb.AcceptedFinding:
    known = ("reason", "acceptedBy", "expireTime")
    acceptance = {name: kept[name] for name in known if kept.get(name)}
    told = {name: value for name, value in kept.items() if name not in known and value is not None}
    return json_format.ParseDict({**told, "acceptance": acceptance}, pb.AcceptedFinding(), ignore_unknown_fields=True)
