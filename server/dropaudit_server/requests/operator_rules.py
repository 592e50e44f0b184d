"""The operator's rules for requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropaudit_store.shared.allowed_uris import AllowedUris


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of requests, and which models may be named by URI.

    Attributes:
        batch: audits in one batch, and members of a suite.
        labels: labels of an audit or a suite.
        replicates: most replicates that an audit may ask for.
        tensors: tensors of one subject.
        tensor_bytes: bytes of an archive's arrays, unpacked.
    """

    batch: int = 1000
    labels: int = 64
    replicates: int = 10_000_000
    tensors: int = 1000
    tensor_bytes: int = 1 << 30
    uris: AllowedUris = field(default_factory=lambda: AllowedUris(()))
