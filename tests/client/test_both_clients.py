from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

from dropaudit_client import AsyncAuditClient, AuditClient

ROOT = Path(__file__).parents[2]


def signatures(client: type) -> dict[str, str]:
    """Return the public methods with their signatures and docstrings, without what only one of the clients has."""
    methods = inspect.getmembers(client, inspect.isfunction)
    told = {name: f"{inspect.signature(method)} {method.__doc__}" for name, method in methods if name[0] != "_"}
    return {name: re.sub(r"\bAsync(?=\w)", "", text) for name, text in told.items()}


def test_both_clients_have_the_same_methods_with_the_same_arguments_and_promises() -> None:
    assert signatures(AuditClient) == signatures(AsyncAuditClient)
    assert {"audit", "accept_finding", "wait_run", "put_suite"} <= signatures(AsyncAuditClient).keys()


def test_every_method_of_the_asynchronous_client_is_awaited_or_iterated_over() -> None:
    for name, method in inspect.getmembers(AsyncAuditClient, inspect.isfunction):
        if name[0] != "_":
            assert inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method), name


def test_the_synchronous_client_is_what_the_generator_writes() -> None:
    ended = subprocess.run(
        [sys.executable, ROOT / "tools/sync_client.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
