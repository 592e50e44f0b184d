"""Watches that must end: while audits are deleted under them, and while many leave at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import grpc

from dropaudit.plan import Plan, Provider
from dropaudit_chaos.crowd import Caller
from dropaudit_chaos.parts import Service
from dropaudit_client import AuditClient
from dropaudit_client.errors import ServiceError
from dropaudit_client.resources import ArtifactRef, Finished
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub

WATCHES = 20
# Under every fault at once a watch takes as long as an audit.
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05


class WatchNeverEnded(RuntimeError):
    """A watch went on though its audit had ended, or was deleted."""


def delete_watched(service: Service, rng: random.Random) -> None:
    """Cancel and delete an audit while others watch it; each watch must end.

    Raises:
        WatchNeverEnded: one does not.
    """
    caller = Caller(service.address)
    try:
        name = _long_audit(caller, rng)
        watches = [Watch(service.address, name) for _ in range(WATCHES)]
        time.sleep(rng.uniform(0, 0.5))
        caller.insist(lambda client: client.cancel_audit(name))
        caller.insist(_deleting(name))
        _await(watches)
    finally:
        caller.close()


def leave_watches(service: Service, rng: random.Random) -> None:
    """Watch one audit many times over one connection, and leave without a word; one watch stays and must end.

    Raises:
        WatchNeverEnded: it does not.
    """
    caller = Caller(service.address)
    try:
        name = _long_audit(caller, rng)
        with grpc.insecure_channel(service.address) as channel:
            stub = AuditServiceStub(channel)
            streams = [stub.WatchAudit(pb.WatchAuditRequest(name=name)) for _ in range(WATCHES)]
            with suppress(grpc.RpcError):
                next(streams[0])
            time.sleep(rng.uniform(0, 0.3))
        staying = Watch(service.address, name)
        caller.insist(lambda client: client.cancel_audit(name))
        _await([staying])
        caller.insist(_deleting(name))
    finally:
        caller.close()


def _long_audit(caller: Caller, rng: random.Random) -> str:
    """Ask for an audit that is not soon decided."""
    subject = caller.insist(lambda client: ArtifactRef(next(iter(client.list_models())).name))
    plan = Plan(seed=rng.randrange(1000), provider=Provider.CPU, tolerance=1e-6, max_replicates=100_000)
    return caller.insist(lambda client: client.create_audit(subject, plan, request_id=f"watched-{rng.random()}")).name


def _deleting(name: str) -> Callable[[AuditClient], None]:
    """Return a call that deletes an audit; one that is gone is deleted, one that has not ended is tried again."""

    def delete(client: AuditClient) -> None:
        try:
            client.delete_audit(name)
        except ServiceError as error:
            if error.code != "NOT_FOUND":
                raise

    return delete


class Watch:
    """Watches an audit to its end, or until it is gone; calls to a service that is away are retried."""

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self.ended = threading.Event()
        self._address = address
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self.ended.is_set() and time.monotonic() < end:
            if self._watched():
                self.ended.set()
            else:
                time.sleep(_PAUSE_SECONDS)

    def _watched(self) -> bool:
        try:
            with AuditClient(self._address) as client:
                return any(isinstance(event, Finished) for event in client.watch(self.name))
        except ServiceError as error:
            return error.code == "NOT_FOUND"


def _await(watches: list[Watch]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    for each in watches:
        if not each.ended.wait(max(0.0, end - time.monotonic())):
            raise WatchNeverEnded(f"a watch of {each.name} has not ended within {_PATIENCE_SECONDS:g} s")
