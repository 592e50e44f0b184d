"""Notifications on their way: listed, and sent again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dropaudit.shortening import cut
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.requests.names import resource_id
from dropaudit_server.requests.paging import Page, fitting, page_of
from dropaudit_server.requests.violations import InvalidRequest, Violations
from dropaudit_server.responses import timestamp
from dropaudit_store.audits.ids import member
from dropaudit_store.notifications.deliveries import Delivery, DeliveryState, DeliveryStore
from dropaudit_store.notifications.targets import shown_url
from dropaudit_store.shared.byte_limits import NAME_BYTES
from dropaudit_store.suites import SuiteStore

STATES = {
    pb.Delivery.STATE_UNSPECIFIED: None,
    pb.Delivery.PENDING: DeliveryState.PENDING,
    pb.Delivery.DELIVERED: DeliveryState.DELIVERED,
    pb.Delivery.DEAD: DeliveryState.DEAD,
}
_NAME = re.compile(r"suites/([a-z0-9-]{1,63})/deliveries/([a-zA-Z0-9_-]{1,128})")


class DeliveryHandlers:
    """Notifications, over the store. Raises the store's errors."""

    def __init__(self, suites: SuiteStore, deliveries: DeliveryStore, wake_ups: WakeUps) -> None:
        self._suites = suites
        self._deliveries = deliveries
        self._wake_ups = wake_ups

    def page(self, suite_id: str, count: int, cursor: str, state: DeliveryState | None) -> tuple[list[Delivery], str]:
        """Return a page of a suite's notifications, newest first, and the cursor of the next. Raises SuiteNotFound."""
        self._suites.get(suite_id)
        found, following = self._deliveries.page(suite_id, count, cursor)
        return [each for each in found if state in (None, each.state)], following

    def again(self, suite_id: str, delivery_id: str) -> Delivery:
        """Let a notification be sent again. Raises DeliveryNotFound."""
        found = self._deliveries.again(suite_id, delivery_id)
        self._wake_ups.delivery()
        return found


def list_deliveries(request: pb.ListDeliveriesRequest) -> tuple[str, Page, DeliveryState | None]:
    """Return the suite, the page and the state that are asked for. Raises InvalidRequest."""
    suite_id, violations = resource_id(request.parent, "suites", "parent"), Violations()
    state = violations.meaning(STATES, request.state, "state")
    page = page_of(request, "deliveries", suite_id, state or "", violations=violations)
    violations.check()
    return suite_id, page, state


def delivery_ids(name: str) -> tuple[str, str]:
    """Return suite and notification of `suites/{suite}/deliveries/{delivery}`. Raises InvalidRequest."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise InvalidRequest([("name", f"must be suites/…/deliveries/…, not {name!r}")])
    return found[1], found[2]


def deliveries(found: Iterable[Delivery], following: str, page: Page) -> pb.ListDeliveriesResponse:
    """Return the message of a page of notifications."""
    messages = ((delivery(each), member(each.create_time, each.id)) for each in found)
    kept, cursor = fitting(messages, following)
    return pb.ListDeliveriesResponse(deliveries=kept, next_page_token=page.token(cursor))


def delivery(found: Delivery) -> pb.Delivery:
    """Return the message of a notification."""
    return pb.Delivery(
        name=found.name,
        run=found.run,
        webhook_url=shown_url(found.url),
        trigger=found.on.value,
        state=found.state.value,
        attempts=found.attempts,
        last_error=cut(found.last_error, NAME_BYTES),
        create_time=timestamp(found.create_time),
        attempt_time=timestamp(found.attempt_time),
        next_time=timestamp(found.next_time),
        form=found.form.value,
    )
