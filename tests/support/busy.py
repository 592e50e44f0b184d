"""A dashboard with something to see: the whole service, a suite with runs behind it, a run and an audit that go on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dropaudit import Plan, Role
from dropaudit_client import AuditClient
from dropaudit_client.local.service import running
from dropaudit_client.resources import ArtifactRef, AuditState, Glob
from dropaudit_formats.writing import Form
from dropaudit_models.lstm.model import lstm_model
from dropaudit_models.lstm.places import Place, Spot
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.lstm.sites import site
from dropaudit_models.lstm.spec import Head, Layer, LSTMSpec
from support.services import eventually

_SPEC = LSTMSpec(input_size=4, layers=(Layer(12), Layer(12)), head=Head.LINEAR, classes=5)
_NAMES = ("captions", "forecast", "keyword", "music", "ocr", "speech-decoder", "speech-encoder", "translate")
# As many more that wait, so that the last run is still going on when its pictures are taken.
_CROWD = 60
# Its output keeps its size exactly: to see so closely takes minutes.
_LONG = Plan(max_replicates=10_000_000, tolerance=0.00005, alpha=1e-9)


@contextmanager
def busy_dashboard(folder: Path) -> Iterator[dict[str, str]]:
    """Yield addresses of pages by the name of their picture, and the file of a run's report."""
    with (
        running({**os.environ, "DROPAUDIT_CONCURRENCY": "2"}, folder / "service", web=True) as service,
        AuditClient(service.address) as client,
    ):
        web = f"http://{service.web_address}"
        last = _past_runs(client)
        page = folder / "run.html"
        page.write_text(client.render_report(last, Form.HTML, link_prefix=web), encoding="utf-8")
        for number in range(_CROWD):
            client.upload_model(_model(100 + number), display_name=f"variants/{number:02}.onnx")
        audit = _running_audit(client)
        run = client.run_suite("suites/nightly", always_audit=True).name
        eventually(lambda: client.get_run(run).counts.succeeded >= 3, "the run does not go on", seconds=120)
        paths = {
            # First: it ends by itself.
            "run": f"/{run}",
            "audits": "/?filter=NOT+state+%3D+QUEUED",
            "running": f"/{audit}",
            "suite": "/suites/nightly",
            "models": "/models",
            "model": "/models/named?name=forecast.onnx",
        }
        yield {**{f"dashboard-{name}": web + path for name, path in paths.items()}, "run": page.as_uri()}
        client.cancel_audit(audit)
        client.cancel_run(run)


def _past_runs(client: AuditClient) -> str:
    """Let a suite run while models are replaced, broken and mended, and return the name of the last run."""
    for number, name in enumerate(_NAMES):
        client.upload_model(_model(number), display_name=f"{name}.onnx")
    client.create_suite("nightly", [Glob("*.onnx", Role.TRAIN)], display_name="Every night", cron="0 3 * * *")
    first = _run(client)
    client.pin_baseline("suites/nightly", first)
    client.upload_model(_model(21), display_name="forecast.onnx")
    _run(client)
    client.upload_model(_model(22, factor=1.0), display_name="forecast.onnx")
    client.upload_model(_model(23, keep_prob=0.6, factor=1.25), display_name="music.onnx")
    _run(client)
    client.upload_model(_model(24), display_name="music.onnx")
    client.upload_model(b"what a broken upload leaves behind", display_name="ocr.onnx")
    client.upload_model(_model(26, keep_prob=0.5), display_name="speech-encoder.onnx")
    client.delete_model_name("keyword.onnx")
    client.upload_model(_model(27), display_name="summaries.onnx")
    return _run(client)


def _run(client: AuditClient) -> str:
    return client.wait_run(client.run_suite("suites/nightly").name).name


def _running_audit(client: AuditClient) -> str:
    """Return the name of an audit that will not end by itself for minutes."""
    model = client.upload_model(_model(99, layers=(1,)), display_name="candidates/large")
    name = client.create_audit(ArtifactRef(model.name, Role.TRAIN), _LONG, display_name=model.display_name).name
    eventually(lambda: client.get_audit(name).state is AuditState.RUNNING, "the audit does not begin", seconds=60)
    return name


def _model(seed: int, keep_prob: float = 0.8, factor: float | None = None, layers: Iterable[int] = range(2)) -> bytes:
    each = site(Recipe(keep_prob=keep_prob, draw=Draw.LESS, factor=factor))
    sites = {Place(Spot.OUTPUT, layer): each for layer in layers}
    content: bytes = lstm_model(replace(_SPEC, seed=seed), sites).SerializeToString()
    return content
