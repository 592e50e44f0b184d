"""Mutations of requests, sent to a real server as the bytes that they are."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from dropaudit_chaos.fuzzing.mutations import mutated
from dropaudit_chaos.parts import serving
from dropaudit_proto.v1 import audit_pb2 as pb

_CALL_SECONDS = 10.0
# A server may refuse, and may be asked for more than it has; it may not fail.
_FINE = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
}
# What the runtime of gRPC answers when it cannot parse a message at all.
_NO_MESSAGE = "Exception deserializing request!"


def requests() -> dict[str, bytes]:
    """Return a right request of each unary call that takes more than a name, and of some that do not."""
    tensor = pb.Tensor(name="y", datatype="FP32", shape=[2, 2], raw_contents=bytes(16))
    recorded = pb.RecordedSubject(inference=tensor, train=[tensor], keep_prob=0.5)
    options = pb.AuditOptions(alpha=0.01, tolerance=0.02, max_replicates=64, seed=7)
    audit = pb.Audit(spec=pb.AuditSpec(recorded=recorded, options=options), labels={"team": "speech"})
    artifact = pb.Audit(spec=pb.AuditSpec(artifact=pb.ArtifactSubject(model="models/" + "a" * 64)))
    create = pb.CreateAuditRequest(audit=audit, request_id="fuzz")
    suite = pb.Suite(display_name="s", members=[pb.SuiteMember(glob=pb.Glob(pattern="*"))])
    made = {
        "CreateAudit": create,
        "BatchCreateAudits": pb.BatchCreateAuditsRequest(requests=[create, pb.CreateAuditRequest(audit=artifact)]),
        "GetAudit": pb.GetAuditRequest(name="audits/" + "0" * 32),
        "ListAudits": pb.ListAuditsRequest(filter='verdict = FAIL AND NOT labels.team = "x"', page_size=2),
        "CancelAudit": pb.CancelAuditRequest(name="audits/" + "0" * 32),
        "DeleteAudit": pb.DeleteAuditRequest(name="audits/" + "0" * 32),
        "CreateSuite": pb.CreateSuiteRequest(suite=suite, suite_id="nightly"),
        "UpdateSuite": pb.UpdateSuiteRequest(suite=pb.Suite(name="suites/nightly", display_name="t")),
        "ListSuites": pb.ListSuitesRequest(page_size=1),
        "ListModels": pb.ListModelsRequest(page_size=1),
        "GetModel": pb.GetModelRequest(name="models/" + "a" * 64),
    }
    return {name: message.SerializeToString() for name, message in made.items()}


def fuzz_server(inputs: int, seed: int, folder: Path) -> tuple[int, dict[str, int], list[str], float]:
    """Send mutations; returns how many, how often each ended, what should not have come back, and the slowest."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    surprises, slowest = list[str](), 0.0
    with serving(folder, 0, log_level="ERROR") as service, grpc.insecure_channel(service.address) as channel:
        pid = service.server.pid
        right = requests()
        for number in range(inputs):
            name = rng.choice(list(right))
            began = time.monotonic()
            code, message = _called(channel, name, mutated(right[name], rng))
            slowest = max(slowest, time.monotonic() - began)
            parsed = _NO_MESSAGE not in message
            outcomes[code.name if parsed else "no message"] += 1
            if parsed and code not in _FINE:
                surprises.append(f"input {number} to {name}: {code.name}: {message}"[:300])
        if not service.server.runs or service.server.pid != pid:
            surprises.append("the server died")
        # It still does what it should.
        code, message = _called(channel, "ListAudits", right["ListAudits"])
        if code is not grpc.StatusCode.OK:
            surprises.append(f"afterwards the server answers {code.name}: {message}")
    return inputs, dict(outcomes), surprises, slowest


def _called(channel: grpc.Channel, name: str, content: bytes) -> tuple[grpc.StatusCode, str]:
    call: Callable[..., Any] = channel.unary_unary(f"/dropaudit.v1.AuditService/{name}")
    try:
        call(content, timeout=_CALL_SECONDS)
    except grpc.RpcError as error:
        return error.code(), str(error.details())
    return grpc.StatusCode.OK, ""
