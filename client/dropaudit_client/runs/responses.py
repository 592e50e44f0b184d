"""Messages about runs to plain values."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict

from dropaudit_client.runs.resources import (
    Comparison,
    Delivery,
    Preview,
    ResolvedFile,
    ResolvedMember,
    RunCounts,
)
from dropaudit_client.times import time_of
from dropaudit_proto.v1 import audit_pb2 as pb

_COUNTS = ("total", "queued", "running", "succeeded", "failed", "cancelled", "warn", "fail", "inconclusive", "reused")


def counts(message: pb.RunCounts) -> RunCounts:
    """Read counts."""
    return RunCounts(**{name: getattr(message, name) for name in _COUNTS}, passed=getattr(message, "pass"))


def member(message: pb.ResolvedMember) -> ResolvedMember:
    """Read what a member stands for."""
    files = (ResolvedFile(each.display_name, each.sha256, each.version, each.uri) for each in message.artifacts)
    return ResolvedMember(message.display_name, message.position, tuple(files))


def preview(message: pb.PreviewSuiteResponse) -> Preview:
    """Read what a suite would audit."""
    return Preview(tuple(map(member, message.members)), message.total, tuple(message.notes))


def comparison(message: pb.Comparison) -> Comparison:
    """Read what changed from one run to another."""
    # Imported here: who only lists runs does without.
    from dropaudit_formats.runs.wire import member_changes

    status = pb.Comparison.Status.Name(message.status) if message.status else ""
    found = MessageToDict(message.counts, always_print_fields_with_no_presence=True)
    return Comparison(message.base, status, found, member_changes(message), tuple(message.shortened))


def delivery(message: pb.Delivery) -> Delivery:
    """Read a notification."""
    return Delivery(
        name=message.name,
        run=message.run,
        webhook_url=message.webhook_url,
        trigger=pb.Notification.Trigger.Name(message.trigger),
        state=pb.Delivery.State.Name(message.state),
        attempts=message.attempts,
        last_error=message.last_error,
        create_time=time_of(message, "create_time"),
        attempt_time=time_of(message, "attempt_time"),
        next_time=time_of(message, "next_time"),
    )
