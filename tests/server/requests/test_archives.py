"""Claims about archives of tensors: what they hold is known before anything is unpacked, and nothing waits for them."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.handlers.tensor_store import TensorStore
from dropaudit_server.requests.archives import Archive
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.tensors import archive
from dropaudit_server.requests.violations import InvalidRequest, Violations
from dropaudit_store.content.blobs import BlobStore
from support.calls import refusal_of, upload


def packed(write: Callable[..., None] = np.savez_compressed, **arrays: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, **arrays)
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes], comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.comment = comment
        for name, content in members:
            made.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_an_archive_comes_out_as_it_went_in(write: Callable[..., None]) -> None:
    violations = Violations()
    fortran = np.asfortranarray(X)
    found = archive(packed(write, x=X, y=fortran, é=np.array(True)), "npz", violations)
    violations.check()
    assert isinstance(found, Archive)
    assert found.size == 2 * X.nbytes + 1
    arrays = dict(found.arrays())
    assert list(arrays) == ["x", "y", "é"]
    assert all((arrays[name] == X).all() for name in ("x", "y"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not an .npz archive"),
        (b"PK\x05\x06" + bytes(18), None),
        (zipped(("x.txt", b"hi")), "is not an .npz archive"),
        (zipped(("x.npy", npy(X)), comment=b"c"), "is not an .npz archive"),
        (zipped(("x.npy", npy(X)[:-1])), "does not hold what its shape says"),
        (zipped(("x.npy", npy(X) + b"x")), "does not hold what its shape says"),
        (zipped(("x.npy", npy(X)), ("x", npy(X))), None),
        (zipped(("n" * 600 + ".npy", npy(X))), "at most 512 bytes"),
        (packed(x=np.zeros((1,) * 33, np.float32)), "more than 32 axes"),
        (packed(x=np.array(["a"])), "is of type <U1"),
        (packed(x=np.zeros(20_000, np.float64)), "more than 100000 bytes"),
        (packed(np.savez_compressed, **{str(number): X for number in range(9)}), "at most 8 tensors"),
        (zipped(*((f"{number}.npy", b"") for number in range(5000))), "at most 8 tensors"),
        (zipped(("x.npy", b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535)), "not an .npz archive"),
    ],
)
def test_what_is_no_archive_is_refused_before_it_is_unpacked(content: bytes, words: str | None) -> None:
    violations = Violations(Rules(tensors=8, tensor_bytes=100_000))
    found = archive(content, "npz", violations)
    if words is None:
        assert violations.found
        return
    assert found is None
    ((path, sentence, _),) = violations.found
    assert path == "npz"
    assert words in sentence


def test_an_array_whose_content_is_damaged_is_refused_when_it_is_unpacked(tmp_path: Path) -> None:
    content = bytearray(packed(np.savez, x=np.zeros(5000, np.float32)))
    content[5000] ^= 1
    violations = Violations()
    found = archive(bytes(content), "npz", violations)
    assert isinstance(found, Archive)
    with pytest.raises(InvalidRequest, match="cannot be unpacked"):
        TensorStore(BlobStore(tmp_path.as_uri()), 1 << 30).put(found)


def test_no_more_is_unpacked_at_a_time_than_the_budget() -> None:
    class Looking(BlobStore):
        """Sees how many arrays there are at a time."""

        def __init__(self) -> None:
            self.now = self.most = 0

        def put_tensors(self, tensors: list[tuple[str, np.ndarray]]) -> None:  # type: ignore[override]  # any
            self.now += 1
            self.most = max(self.most, self.now)
            time.sleep(0.05)
            self.now -= 1

    blobs, violations = Looking(), Violations()
    found = archive(packed(x=np.zeros(80 << 20, np.uint8)), "npz", violations)
    assert isinstance(found, Archive)
    for budget, most in ((100 << 20, 1), (1 << 30, 3)):
        blobs.most, store = 0, TensorStore(blobs, budget)
        threads = [threading.Thread(target=store.put, args=(found,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blobs.most <= most


def test_the_model_is_looked_up_before_an_archive_is_unpacked(stub: AuditServiceStub) -> None:
    bomb = packed(x=np.zeros(200 << 20, np.uint8))
    for validate_only in (False, True):
        inputs = pb.TensorSet(npz=bomb)
        spec = pb.AuditSpec(artifact=pb.ArtifactSubject(model="models/" + "a" * 64, inputs=inputs))
        request = pb.CreateAuditRequest(audit=pb.Audit(spec=spec), validate_only=validate_only)
        began = time.process_time()
        assert refusal_of(lambda request=request: stub.CreateAudit(request)).reason == "MODEL_NOT_FOUND"  # type: ignore[misc]  # bound at once
        assert time.process_time() - began < 5


def test_a_damaged_archive_is_the_caller_s_fault_in_a_suite_too(stub: AuditServiceStub) -> None:
    content = bytearray(packed(np.savez, x=np.zeros(5000, np.float32)))
    content[5000] ^= 1
    model = upload(stub, b"model").name
    inputs = pb.TensorSet(npz=bytes(content))
    member = pb.SuiteMember(artifact=pb.ArtifactSubject(model=model, inputs=inputs))
    refusal = refusal_of(lambda: stub.CreateSuite(pb.CreateSuiteRequest(suite=pb.Suite(members=[member]))))
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT.name
    assert list(refusal.violations) == ["suite.members[0].artifact.inputs.npz"]
