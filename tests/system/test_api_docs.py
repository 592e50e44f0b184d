"""Claims about docs/api.md: its examples run, and a client without generated code does the whole flow."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from dropaudit_client.local.service import LocalService
from dropaudit_models import export
from support.generic import GenericClient, grpcurl

pytestmark = pytest.mark.system
EXAMPLES = (Path(__file__).parent.parent.parent / "docs" / "api-examples.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", EXAMPLES, re.DOTALL)
LINES = [line for line in EXAMPLES.splitlines() if line.startswith("grpcurl ")]
SERVICE = "dropaudit.v1.AuditService"


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_the_python_that_is_shown_runs(number: int, service: LocalService, tmp_path: Path) -> None:
    export("lstm-dropout", tmp_path).rename(tmp_path / "model.onnx")
    code = SNIPPETS[number].replace("127.0.0.1:50051", service.address)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


def test_the_lines_for_grpcurl_are_calls_that_are_answered(service: LocalService) -> None:
    with grpc.insecure_channel(service.address) as channel:
        answers = [grpcurl(line, channel) for line in LINES]
    assert len(answers) > 5
    assert answers[-3][0]["displayName"] == "Monthly"
    assert answers[-2][0]["name"].startswith("suites/monthly/runs/")


def test_a_client_without_generated_code_does_the_whole_flow(service: LocalService, tmp_path: Path) -> None:
    content = base64.b64encode(export("lstm-dropout-unscaled", tmp_path).read_bytes()).decode()
    with grpc.insecure_channel(service.address) as channel:
        client = GenericClient(channel)

        def call(name: str, *requests: dict[str, Any]) -> list[dict[str, Any]]:
            return client.call(f"{SERVICE}/{name}", *requests)

        (model,) = call("UploadModel", {"metadata": {"displayName": "generic.onnx"}}, {"chunk": content})
        (sites,) = call("InspectModel", {"name": model["name"]})
        assert [site["implementation"] for site in sites["sites"]] == ["UNIFORM_CHAIN"]
        spec = {"artifact": {"model": model["name"], "role": "TRAIN"}}
        (audit,) = call("CreateAudit", {"audit": {"spec": spec, "labels": {"by": "generic"}}, "requestId": "generic"})
        *_, last = call("WatchAudit", {"name": audit["name"]})
        assert last["audit"]["report"]["verdict"] == "FAIL"
        (page,) = call("ListAudits", {"filter": "labels.by = generic AND finding = DA301"})
        assert [each["name"] for each in page["audits"]] == [audit["name"]]
        call("DeleteAudit", {"name": audit["name"]})
        call("DeleteModel", {"name": model["name"]})
        assert call("ListAudits", {"filter": "labels.by = generic"}) == [{}]
