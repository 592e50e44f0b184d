"""Search terms of audits. Each term is the name of an index that holds the ids of the audits that have it."""

from __future__ import annotations

import hashlib
from typing import Any

from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, PairRef, RecordedRef, SubjectRef


def state_term(state: AuditState) -> str:
    """Term of the audits in a state."""
    return f"state:{state.value}"


def verdict_term(verdict: str) -> str:
    """Term of the audits with a verdict."""
    return f"verdict:{verdict}"


def finding_term(code: str) -> str:
    """Term of the audits that found something."""
    return f"finding:{code}"


def model_term(sha256: str) -> str:
    """Term of the audits of a model."""
    return f"model:{sha256}"


def name_term(name: str) -> str:
    """Term of the audits that are shown as something, or of a file with a name."""
    return f"name:{_short(name)}"


def run_term(run: str) -> str:
    """Term of the audits of a run."""
    return f"run:{_short(run)}"


def label_term(key: str, value: str) -> str:
    """Term of the audits with a label."""
    return f"label:{_short(key, value)}"


def label_key_term(key: str) -> str:
    """Term of the audits with a label of any value."""
    return f"label-key:{_short(key)}"


def _short(*words: str) -> str:
    """Return a short word for words of any length and content."""
    joined = "".join(f"{len(word)}:{word}" for word in words)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def request_terms(request: AuditRequest) -> list[str]:
    """Return what never changes of an audit's terms."""
    labels = request.labels.items()
    names = dict.fromkeys((request.display_name, *request.names))
    return [
        *(name_term(name) for name in names if name),
        *([run_term(request.run)] if request.run else []),
        *map(model_term, models_of(request.spec.subject)),
        *(label_term(key, value) for key, value in labels),
        *(label_key_term(key) for key, _ in labels),
    ]


def report_terms(report: dict[str, Any]) -> list[str]:
    """Return the terms that a report adds: of a model that was read from a URI, only it names the digest."""
    codes = {str(finding["code"]) for finding in report.get("findings", ())}
    read = {str(artifact["sha256"]) for artifact in report.get("execution", {}).get("artifacts", ())}
    return [
        verdict_term(str(report["verdict"])),
        *map(finding_term, sorted(codes)),
        *map(model_term, sorted(read)),
    ]


def models_of(subject: SubjectRef) -> tuple[str, ...]:
    """Return the SHA-256 of each stored model that a subject names."""
    named: tuple[str, ...] = ()
    match subject:
        case ArtifactRef(model=model):
            named = (model,)
        case PairRef(train=train, inference=inference):
            named = (train, inference)
    return tuple(dict.fromkeys(filter(None, named)))


def tensors_of(subject: SubjectRef) -> tuple[str, ...]:
    """Return the SHA-256 of the stored tensors that a subject names."""
    stored = subject.tensors if isinstance(subject, RecordedRef) else subject.inputs
    return (stored.sha256,) if stored else ()
