"""Messages about names to plain values."""

from __future__ import annotations

from dropaudit.report import Interval, Verdict
from dropaudit_client.naming.resources import HistoryPoint, Measurement, ModelName, ModelVersion
from dropaudit_client.times import time_of
from dropaudit_proto.v1 import audit_pb2 as pb


def version(message: pb.ModelVersion) -> ModelVersion:
    """Read a version."""
    return ModelVersion(
        display_name=message.display_name,
        version=message.version,
        model=message.model,
        size_bytes=message.size_bytes,
        create_time=time_of(message, "create_time"),
        uploader=message.uploader,
        aliases=tuple(message.aliases),
    )


def name(message: pb.ModelName) -> ModelName:
    """Read a name."""
    aliases = {alias: message.aliases[alias] for alias in sorted(message.aliases)}
    return ModelName(message.display_name, version(message.newest), message.version_count, aliases)


def point(message: pb.ModelHistoryPoint) -> HistoryPoint:
    """Read what one audit measured."""
    return HistoryPoint(
        audit=message.audit,
        run=message.run,
        version=message.version,
        sha256=message.sha256,
        end_time=time_of(message, "end_time"),
        verdict=Verdict(pb.Report.Verdict.Name(message.verdict)) if message.verdict else None,
        codes=tuple(message.codes),
        measurements=tuple(map(_measurement, message.measurements)),
        runtime_version=message.runtime_version,
    )


def _measurement(message: pb.Measurement) -> Measurement:
    found = message.interval
    interval = Interval(estimate=found.estimate, lower=found.lower, upper=found.upper)
    return Measurement(message.subject, message.quantity, interval)
