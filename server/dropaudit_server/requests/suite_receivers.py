"""Receivers of notifications in a suite's message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.violations import Violations
from dropaudit_store.notifications.targets import ForbiddenTarget, parse_target
from dropaudit_store.records import Form, NotifyOn, Target

TRIGGERS = {
    pb.Notification.TRIGGER_UNSPECIFIED: NotifyOn.ON_CHANGE,
    pb.Notification.ON_CHANGE: NotifyOn.ON_CHANGE,
    pb.Notification.ON_FAILURE: NotifyOn.ON_FAILURE,
    pb.Notification.ALWAYS: NotifyOn.ALWAYS,
    pb.Notification.ON_RECOVERY: NotifyOn.ON_RECOVERY,
}
FORMS = {
    pb.Notification.FORM_UNSPECIFIED: Form.JSON,
    pb.Notification.JSON: Form.JSON,
    pb.Notification.SLACK: Form.SLACK,
}
_MOST, _LONGEST_SECRET = 20, 256


def read_targets(suite: pb.Suite, violations: Violations) -> dict[str, Any]:
    """Read who is told about runs."""
    if len(suite.notifications) > _MOST:
        violations.add("suite.notifications", f"at most {_MOST}")
    return {
        "targets": tuple(
            _target(each, f"suite.notifications[{position}]", violations)
            for position, each in enumerate(suite.notifications)
        )
    }


def _target(message: pb.Notification, path: str, violations: Violations) -> Target:
    url = message.webhook_url
    try:
        parse_target(url)
    except ForbiddenTarget as error:
        violations.add(f"{path}.webhook_url", error.message, error.reason)
    return Target(
        url=url,
        on=violations.meaning(TRIGGERS, message.trigger, f"{path}.trigger"),
        form=violations.meaning(FORMS, message.form, f"{path}.form"),
        secret=violations.short(message.secret, f"{path}.secret", _LONGEST_SECRET),
    )


def with_secrets(targets: Iterable[Target], before: Iterable[Target]) -> tuple[Target, ...]:
    """Return receivers, those without a secret with the one that the receiver of the same URL had before."""
    known = {each.url: each.secret for each in before}
    return tuple(
        each if each.secret else Target(url=each.url, on=each.on, form=each.form, secret=known.get(each.url, ""))
        for each in targets
    )


def notifications(targets: Iterable[Target]) -> Iterator[pb.Notification]:
    """Yield the messages of receivers, without their secrets."""
    for each in targets:
        yield pb.Notification(
            trigger=each.on.value,
            webhook_url=each.url,
            form=each.form.value,
            signed=bool(each.secret),
        )
