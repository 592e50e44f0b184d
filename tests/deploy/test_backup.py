"""Claims about backup and restore: what was kept is there again, and what waited is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import redis

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.records import AuditState, RecordedRef, Suite
from dropaudit_store.redis.connection import connect
from dropaudit_store.suites import SuiteStore
from support.audits import ask, finished
from support.documents import ROOT
from support.services import redis_server, worker

SCRIPTS = ROOT / "deploy" / "backup"
# What redis-cli does: sends its arguments as a command, and prints the answer.
CLI = """#!{python}
import os, sys, redis
answer = redis.Redis(port=int(os.environ["PORT"])).execute_command(*sys.argv[1:])
print(answer if isinstance(answer, str) else answer.decode() if isinstance(answer, bytes) else
      "\\r\\n".join(f"{{name}}:{{value}}" for name, value in answer.items()) if isinstance(answer, dict) else
      "Background saving started" if answer else answer)
"""


def run(script: str, *paths: Path, port: str = "", cli: str = "redis-cli") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PORT": port, "REDIS_CLI": cli}
    command = ["/bin/sh", str(SCRIPTS / script), *map(str, paths)]
    return subprocess.run(command, env=environ, check=False, capture_output=True, text=True, timeout=60)


def test_what_was_kept_is_there_again_and_what_waited_is_made(tmp_path: Path) -> None:
    cli = tmp_path / "cli"
    cli.write_text(CLI.format(python=sys.executable))
    cli.chmod(0o700)
    before, after, backup = tmp_path / "before", tmp_path / "after", tmp_path / "backup"
    inference = np.linspace(0.1, 1.0, 50)
    train = np.where(np.arange(50) % 2 == 0, 2 * inference, 0)
    with redis_server(before / "redis") as url, connect(url) as client:
        blobs = BlobStore((before / "blobs").as_uri())
        subject = RecordedRef(tensors=blobs.put_tensors([("inference", inference), ("train0", train)]), keep_prob=0.5)
        store = AuditStore(client)
        with worker(url, before, reconcile_seconds=0.2, announce_seconds=0.2):
            made = finished(store, ask(store, subject))
        waiting, running = ask(store, subject), ask(store, subject)
        assert store.claim(running, 0.1)
        suite = Suite(id="nightly", members=(subject,), plan=Plan(), create_time=1.0, update_time=1.0)
        SuiteStore(client).create(suite)
        done = run("backup.sh", backup, before / "redis", before / "blobs", port=url.split(":")[2][:-2], cli=str(cli))
        assert (done.returncode, done.stderr) == (0, "")
        ask(store, subject)
    assert run("restore.sh", backup, after / "redis", after / "blobs").returncode == 0
    with redis_server(after / "redis") as url, connect(url) as client:
        store = AuditStore(client)
        assert set(store.find_many([made.id, waiting, running])) == {made.id, waiting, running}
        assert store.get(made.id) == made
        assert SuiteStore(client).get("nightly") == suite
        assert store.count_waiting() == 1
        with worker(url, after, reconcile_seconds=0.2, announce_seconds=0.2):
            for each in (waiting, running):
                assert finished(store, each).state is AuditState.SUCCEEDED
    # What is written from then on is kept, as before.
    with redis_server(after / "redis") as url, connect(url) as client:
        assert AuditStore(client).get(running).state is AuditState.SUCCEEDED
        assert isinstance(client, redis.Redis)


def test_nothing_is_restored_over_a_redis_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    refused = run("restore.sh", tmp_path, tmp_path / "redis")
    assert refused.returncode == 1
    assert "holds a Redis's files already" in refused.stderr
