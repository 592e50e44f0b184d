"""Claims about the server's memory; `make bench-service` makes them with 1 GiB."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import metadata
from support.services import server_process, serving

MEBIBYTE = 1 << 20
UPLOADED = 512
# How much is on its way depends on how busy the machine is, within windows of tens of mebibytes.
MOST_GROWTH = UPLOADED // 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_upload_and_a_download_never_lie_in_memory_as_a_whole(redis_url: str, tmp_path: Path) -> None:
    with (
        server_process(redis_url, tmp_path, ready=serving) as (started, address),
        grpc.insecure_channel(address) as channel,
    ):
        stub, looking = AuditServiceStub(channel), Looking(started.pid)
        with looking:
            model = stub.UploadModel(messages())
            sizes = [len(each.chunk) for each in stub.DownloadModel(pb.DownloadModelRequest(name=model.name))]
        assert model.size_bytes == sum(sizes) == UPLOADED * MEBIBYTE
        assert looking.growth < MOST_GROWTH


def messages() -> Iterator[pb.UploadModelRequest]:
    yield metadata(display_name="large.onnx")
    for number in range(UPLOADED):
        yield pb.UploadModelRequest(chunk=number.to_bytes(8, "little") * (MEBIBYTE // 8))


class Looking:
    """Looks at the memory of a process while inside; `growth` is in MiB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = self._peak = self._resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @property
    def growth(self) -> float:
        return self._peak - self._before

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.01):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> float:
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE
