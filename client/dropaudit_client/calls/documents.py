"""Methods that suites as files need: whole suites as messages, and comparisons of runs."""
# Generated from calls/aio/documents.py by `make sync-client`: change it there.

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from dropaudit_client.calls.base import SyncCalls
from dropaudit_proto.v1 import audit_pb2 as pb


class DocumentCalls(SyncCalls):
    """Suites as files."""

    def stored_suites(self) -> Iterator[pb.Suite]:
        """Yield all suites, whole, as the service tells them."""
        for page in self._pages(self._stub.ListSuites, pb.ListSuitesRequest(view=pb.VIEW_FULL)):
            yield from page.suites

    def put_suite(self, suite: pb.Suite, fields: Sequence[str], *, validate_only: bool) -> None:
        """Create a suite where `fields` is empty, else change these fields of it; or only let it be checked."""
        if fields:
            mask = FieldMask(paths=fields)
            update = pb.UpdateSuiteRequest(suite=suite, update_mask=mask, validate_only=validate_only)
            self._call(self._stub.UpdateSuite, update)
            return
        suite_id = suite.name.removeprefix("suites/")
        create = pb.CreateSuiteRequest(suite=suite, suite_id=suite_id, validate_only=validate_only)
        create.suite.ClearField("name")
        self._call(self._stub.CreateSuite, create)

    def drop_suite(self, name: str, etag: str) -> None:
        """Delete a suite that is as it was read. Raises ServiceError / ABORTED when it is not."""
        self._call(self._stub.DeleteSuite, pb.DeleteSuiteRequest(name=name, etag=etag))

    def compare_runs(self, name: str, base: str = "") -> pb.Comparison:
        """Return what changed from an earlier run of a suite to a later one; by default from the one before it."""
        return self._call(self._stub.CompareRuns, pb.CompareRunsRequest(name=name, base=base))
