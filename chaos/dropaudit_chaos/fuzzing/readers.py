"""Mutations of what the server reads before it does anything: filters, page tokens, token files, archives, requests."""

from __future__ import annotations

import io
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from dropaudit.errors import InvalidArgument
from dropaudit_chaos.fuzzing.mutations import mutated
from dropaudit_chaos.fuzzing.server import requests as right_requests
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.interceptors.status import status_of
from dropaudit_server.interceptors.tokens import TokenFile
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.requests import names, suite_changes, suite_requests
from dropaudit_server.requests.archives import Archive
from dropaudit_server.requests.filter_words import BadFilter
from dropaudit_server.requests.filters import read_filter
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.requests.tensors import archive
from dropaudit_server.requests.violations import InvalidRequest, Violations

# Reading takes hardly any time: what takes longer does something else. A busy machine may double it.
_SECONDS = 5.0
# A tenth of the limit of the service, so that an archive that slips through fills no memory here.
_RULES = Rules(tensor_bytes=64 << 20)
# What a refusal may take of gRPC's 8 KiB of metadata, before base64.
_DETAIL_BYTES = 4500

Read = Callable[[bytes], object]

_FILTERS = (
    b'verdict = FAIL AND labels.team = speech AND create_time > "2026-11-01T00:00:00Z"',
    b"state = QUEUED OR NOT (finding = DA301 -model = models/" + b"a" * 64 + b")",
    b'labels:x labels.\'a b\' != "c\\"d" create_time <= 2026-11-24',
)
_TOKENS = (
    b'{"tokens": [{"name": "ci", "sha256": "' + b"0" * 64 + b'", "scope": "read"}, '
    b'{"name": "b", "sha256": "' + b"1" * 64 + b'", "scope": "admin", "expires": "2027-01-01T00:00:00Z"}]}',
)


def fuzz_readers(inputs: int, seed: int) -> tuple[int, dict[str, int], list[str], float]:
    """Feed mutations; returns how many, how often each ended, what should not have come back, and the slowest."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    surprises, slowest = list[str](), 0.0
    with tempfile.TemporaryDirectory() as folder:
        targets = _targets(Path(folder))
        for number in range(inputs):
            name = rng.choice(list(targets))
            read, seeds = targets[name]
            content = mutated(rng.choice(seeds), rng)
            began = time.monotonic()
            outcome, surprise = _outcome(read, content)
            seconds = time.monotonic() - began
            slowest = max(slowest, seconds)
            outcomes[f"{name}: {outcome}"] += 1
            if surprise or seconds > _SECONDS:
                surprises.append(f"input {number} to {name}: {surprise or f'{seconds:.1f} s'}: {content[:200]!r}"[:400])
    return inputs, dict(outcomes), surprises, slowest


def _outcome(read: Read, content: bytes) -> tuple[str, str]:
    """Return how an input ended, and what is wrong about that."""
    try:
        read(content)
    except InvalidRequest as error:
        size = status_of(error).ByteSize()
        return "refused", "" if size <= _DETAIL_BYTES else f"a refusal of {size} bytes"
    except (BadFilter, InvalidArgument, DecodeError):
        return "refused", ""
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    return "read", ""


def _targets(folder: Path) -> Mapping[str, tuple[Read, Sequence[bytes]]]:
    made = right_requests()
    page = requests.list_page(pb.ListModelsRequest(), "models")
    return {
        "filter": (lambda content: read_filter(content.decode("utf-8", "replace")), _FILTERS),
        "page token": (_page_token, [page.token("0" * 32).encode(), page.token(f"{1:016x}:{'a' * 64}").encode()]),
        "token file": (lambda content: _token_file(folder / "tokens.json", content), _TOKENS),
        "archive": (_archive, _archives()),
        **{name: (read, [made[name]]) for name, read in _READERS.items()},
    }


def _page_token(content: bytes) -> object:
    token = content.decode("utf-8", "replace")
    return requests.list_page(pb.ListModelsRequest(page_token=token), "models")


def _token_file(path: Path, content: bytes) -> object:
    path.write_bytes(content)
    return TokenFile(path).find("secret")


def _archive(content: bytes) -> object:
    violations = Violations(_RULES)
    found = archive(content, "npz", violations)
    violations.check()
    assert isinstance(found, Archive)
    arrays = found.arrays()
    if sum(array.nbytes for _, array in arrays) != found.size:
        raise ValueError("an archive unpacks to something else than it says")
    return arrays


def _archives() -> list[bytes]:
    found = []
    for write in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"x": np.zeros((3, 4), np.float32), "é": np.arange(5), "s": np.array(True)}
        write(buffer, **arrays)
        found.append(buffer.getvalue())
    return found


_READERS: Mapping[str, Read] = {
    "CreateAudit": lambda content: requests.create_audit(pb.CreateAuditRequest.FromString(content), _RULES),
    "BatchCreateAudits": lambda content: requests.batch_create_audits(
        pb.BatchCreateAuditsRequest.FromString(content), _RULES
    ),
    "ListAudits": lambda content: requests.list_audits(pb.ListAuditsRequest.FromString(content)),
    "CreateSuite": lambda content: suite_requests.create_suite(pb.CreateSuiteRequest.FromString(content), _RULES),
    "UpdateSuite": lambda content: suite_changes.update_suite(pb.UpdateSuiteRequest.FromString(content), _RULES),
    "GetAudit": lambda content: names.resource_id(pb.GetAuditRequest.FromString(content).name, "audits"),
}
