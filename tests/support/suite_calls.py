"""Calls about a suite named nightly and its runs."""

from __future__ import annotations

from typing import Any

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.batches import Batches

GLOB = pb.SuiteMember(glob=pb.Glob(pattern="*", role=pb.TRAIN))
NAME = "suites/nightly"


def create(stub: AuditServiceStub, *members: pb.SuiteMember, **fields: Any) -> pb.Suite:
    """Create the suite; without members, one of every stored model."""
    suite = pb.Suite(members=members or [GLOB], **fields)
    return stub.CreateSuite(pb.CreateSuiteRequest(suite=suite, suite_id="nightly"))


def run(stub: AuditServiceStub, **fields: Any) -> pb.Run:
    """Run the suite."""
    return stub.RunSuite(pb.RunSuiteRequest(name=NAME, **fields))


def get(stub: AuditServiceStub, name: str, view: pb.View = pb.VIEW_UNSPECIFIED) -> pb.Run:
    """Return a run."""
    return stub.GetRun(pb.GetRunRequest(name=name, view=view))


def ended(stub: AuditServiceStub, worker: Batches, reports: Any = None) -> pb.Run:
    """Run the suite, and do what a worker does until the run is concluded."""
    made = run(stub)
    record = worker.runs.read.get("nightly", made.name.rpartition("/")[2])
    worker.finish(record, reports)
    worker.conclude(record)
    return get(stub, made.name)
