"""Claims about server, worker and beat as programs: what they say of themselves, refuse and check."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from dropaudit_client.local.service import free_port
from support.services import environment

SERVER, WORKER, BEAT = ("dropaudit_server",), ("dropaudit_worker",), ("dropaudit_worker", "beat")


def run(program: tuple[str, ...], environ: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *program, *more]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DROPAUDIT_")}
    return subprocess.run(
        command, env={**plain, **environ}, capture_output=True, text=True, timeout=90, check=False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("program", "word"), [(SERVER, "gRPC server"), (WORKER, "makes audits"), (BEAT, "scheduled suites")]
)
def test_help_says_what_a_program_is_and_reads_and_starts_nothing(
    program: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    # With these it could not start.
    nowhere = environment(f"redis://127.0.0.1:{free_port()}/0", tmp_path, log_level="LOUD")
    ended = run(program, nowhere, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert word in " ".join(ended.stdout.split())
    assert "DROPAUDIT_REDIS_URL=redis://127.0.0.1:6379/0" in ended.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", [SERVER, WORKER, BEAT])
def test_arguments_that_there_are_not_are_refused(program: tuple[str, ...]) -> None:
    ended = run(program, {}, "--chek")
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)


WRONG = {
    "redis_url": "redis://user:se@cret@host:port/0",
    "blob_url": "nonsense://secret",
    "retention_days": "inf",
    "redis_reserve_bytes": "-1",
    "log_level": "LOUD",
}
WRONG_AT_SERVER = {
    "listen": "localhost",
    "tls_key": "/none.key",
    "tls_client_ca": "/none.pem",
    "tokens_file": "/none.json",
    "max_message_bytes": str(2**40),
    "metrics_listen": "127.0.0.1:99999",
    "metrics_token_file": "/none",
    "web_listen": "8080",
    "health": "perhaps",
}
WRONG_AT_WORKER = {"device": "abacus", "concurrency": "-1", "lease_seconds": "0", "max_attempts": "many"}


@pytest.mark.parametrize(
    ("program", "wrong", "check"),
    [
        (SERVER, WRONG | WRONG_AT_SERVER, False),
        (SERVER, WRONG | WRONG_AT_SERVER, True),
        (WORKER, WRONG | WRONG_AT_WORKER, False),
        (BEAT, WRONG | WRONG_AT_WORKER, True),
    ],
)
def test_all_that_is_wrong_is_said_at_once_with_the_variable_and_without_the_value(
    program: tuple[str, ...], wrong: dict[str, str], check: bool, tmp_path: Path
) -> None:
    ended = run(program, environment("", tmp_path, **wrong), *(["--check"] if check else []))
    lines = (ended.stdout if check else ended.stderr).splitlines()
    begins = "settings: FAILED, " if check else f"{program[0].replace('_', '-')}: "
    assert all(line.startswith(begins) for line in lines)
    named = [re.split(r"[: ]", line.removeprefix(begins))[0] for line in lines]
    assert sorted(named) == sorted(f"DROPAUDIT_{name.upper()}" for name in wrong)
    assert ended.returncode == (1 if check else 2)
    assert not {"se@cret", "cret@host", "nonsense://secret", "Traceback"} & set(re.split(r"\s", " ".join(lines)))


@pytest.mark.parametrize("name", ["tls_key", "tls_client_ca"])
def test_parts_of_tls_without_a_certificate_are_refused_since_nothing_would_be_encrypted(
    name: str, redis_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "file.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    ended = run(SERVER, environment(redis_url, tmp_path, listen=f"0.0.0.0:{free_port()}", **{name: file}))
    assert ended.returncode == 2
    assert f"DROPAUDIT_{name.upper()}: is given without DROPAUDIT_TLS_CERTIFICATE" in ended.stderr


def verdicts(output: str) -> dict[str, bool]:
    """Return by name which checks are ok."""
    return {name: said.startswith("ok, ") for name, said in (line.split(": ", 1) for line in output.splitlines())}


CHECKS = {
    SERVER: ["settings", "redis", "blobs", "certificates", "tokens"],
    WORKER: ["settings", "redis", "blobs", "runtime"],
    BEAT: ["settings", "redis"],
}


@pytest.mark.parametrize("program", CHECKS)
def test_checks_are_a_line_each_and_leave_nothing_behind(
    program: tuple[str, ...], redis_url: str, tmp_path: Path
) -> None:
    ended = run(program, environment(redis_url, tmp_path), "--check")
    assert verdicts(ended.stdout) == dict.fromkeys(CHECKS[program], True)
    assert ended.returncode == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("program", CHECKS)
def test_a_redis_that_is_gone_fails_its_check_and_no_other(program: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(program, environment(f"redis://127.0.0.1:{free_port()}/0", tmp_path), "--check")
    assert verdicts(ended.stdout) == dict.fromkeys(CHECKS[program], True) | {"redis": False}
    assert ended.returncode == 1


def test_replicas_that_do_not_have_what_is_written_fail_the_check(redis_url: str, tmp_path: Path) -> None:
    ended = run(SERVER, environment(redis_url, tmp_path, redis_replicas=1), "--check")
    assert verdicts(ended.stdout) == dict.fromkeys(CHECKS[SERVER], True) | {"redis": False}


@pytest.mark.parametrize("program", CHECKS)
def test_a_misspelled_setting_fails_the_check_and_is_named_with_what_is_meant(
    program: tuple[str, ...], redis_url: str, tmp_path: Path
) -> None:
    ended = run(program, environment(redis_url, tmp_path, retention_day=3), "--check")
    assert "nothing reads DROPAUDIT_RETENTION_DAY; is DROPAUDIT_RETENTION_DAYS meant?" in ended.stdout
    assert ended.returncode == 1


@pytest.mark.parametrize("program", [SERVER, WORKER])
def test_blobs_that_cannot_be_written_fail_their_check(
    program: tuple[str, ...], redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    environ = environment(redis_url, tmp_path, blob_url=(tmp_path / "file" / "blobs").as_uri())
    ended = run(program, environ, "--check")
    assert verdicts(ended.stdout) == dict.fromkeys(CHECKS[program], True) | {"blobs": False}
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("days", "word"),
    [((-1, 10), "ok, valid until"), ((-10, -1), "certificate has expired"), ((5, 10), "certificate is not yet valid")],
)
def test_a_certificate_is_checked_as_a_client_would(
    days: tuple[int, int], word: str, redis_url: str, tmp_path: Path
) -> None:
    begin, end = (datetime.now(UTC) + timedelta(days=each) for each in days)
    made = trustme.CA().issue_cert("server.example", not_before=begin, not_after=end)
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    made.private_key_pem.write_to_path(str(key))
    for each in made.cert_chain_pems:
        each.write_to_path(str(chain), append=True)
    ended = run(SERVER, environment(redis_url, tmp_path, tls_certificate=chain, tls_key=key), "--check")
    (line,) = (line for line in ended.stdout.splitlines() if line.startswith("certificates: "))
    assert word in line
    assert ended.returncode == (0 if word.startswith("ok") else 1)
