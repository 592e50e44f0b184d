"""Audits a model by the service, and follows the audit until it ends.

    dropaudit up &
    python examples/client.py model.onnx [HOST:PORT]

Needs the extra `client`. A second call with the same file and build uploads nothing and returns the same audit.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from dropaudit import Role
from dropaudit.report import Verdict
from dropaudit_client import AuditClient, Security, ServiceError
from dropaudit_client.resources import ArtifactRef, Finished, Progressed, StateChanged


def main(path: str, address: str = "127.0.0.1:50051", build: str = "1") -> int:
    """Upload, create, watch; returns the exit status."""
    security = Security(token=os.environ.get("DROPAUDIT_TOKEN", ""))
    try:
        with AuditClient(address, security=security) as client:
            return follow(client, path, build)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 2


def follow(client: AuditClient, path: str, build: str) -> int:
    """Make an audit of a build's artifact, and print what happens to it."""
    model = client.upload_model(path, display_name=Path(path).name)
    # The name of this call: when an answer is lost, calling again does not make a second audit.
    request = hashlib.sha256(f"{model.name} {build}".encode()).hexdigest()
    audit = client.create_audit(ArtifactRef(model.name, Role.TRAIN), labels={"build": build}, request_id=request)
    for event in client.watch(audit.name):
        match event:
            case StateChanged():
                print(f"{audit.name} {event.state}")
            case Progressed():
                print(f"{event.progress.phase} {event.progress.replicates} replicates")
            case Finished():
                audit = event.audit
    if audit.report is None:
        print(audit.failure or audit.state, file=sys.stderr)
        return 2
    print(f"{audit.report.verdict}  {audit.report.summary}")
    return 1 if audit.report.verdict is Verdict.FAIL else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
