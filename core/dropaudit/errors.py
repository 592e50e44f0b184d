"""Errors of an audit, each with a stable reason and one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class AuditError(Exception):
    """Base of every error that a caller can do something about.

    `reason` is a stable word in capitals: it is what the command line, the gRPC ErrorInfo and a FAILED audit carry.
    """

    reason: ClassVar[str] = "AUDIT_FAILED"

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidModel(AuditError):
    """The file is not an ONNX model, or is one that the runtime cannot load."""

    reason = "INVALID_MODEL"


class InvalidTensor(AuditError):
    """Given tensors do not fit each other, or the model's signature."""

    reason = "INVALID_TENSOR"


class InvalidArgument(AuditError):
    """A plan or an option is out of range."""

    reason = "INVALID_ARGUMENT"


class UnreadableFile(AuditError):
    """A path cannot be read or written."""

    reason = "UNREADABLE_FILE"


class ProviderUnavailable(AuditError):
    """The asked provider, or the runtime itself, is not there."""

    reason = "PROVIDER_UNAVAILABLE"


class ExecutionFailed(AuditError):
    """The model loads, but running it fails."""

    reason = "EXECUTION_FAILED"


class OutOfMemory(ExecutionFailed):
    """The audit needs more memory than there is, or than it may take."""

    reason = "MEMORY_LIMIT_EXCEEDED"

    def __init__(self, what: str = "") -> None:
        super().__init__(
            f"the audit needs more memory than it may take{': ' if what else ''}{what}; audit a smaller model or "
            "batch, or give it more"
        )


class ShapeVaries(ExecutionFailed):
    """A tensor has another shape in another run, so that its replicates cannot be compared."""

    def __init__(self, tensor: str, first: tuple[int, ...], other: tuple[int, ...]) -> None:
        self.tensor, self.why = tensor, f"its shape differs from run to run: {first} and {other}"
        super().__init__(
            f"tensor {tensor!r} cannot be measured: {self.why}; return a tensor whose shape does not depend on what is "
            "drawn",
            tensor=tensor,
        )


class RewritingFailed(RuntimeError):
    """A model that the runtime takes was rewritten into one that it refuses: a mistake of this project.

    No AuditError, since no caller can do anything about it: it ends as INTERNAL.
    """


@contextmanager
def own_mistakes() -> Iterator[None]:
    """Call an invalid model our own mistake from here on: the artifact itself was accepted before.

    Raises:
        RewritingFailed: the runtime refuses what was made of it.
    """
    try:
        yield
    except InvalidModel as error:
        raise RewritingFailed(f"a rewriting of the model is refused: {error.message}") from error


@contextmanager
def model_errors() -> Iterator[None]:
    """Turn what any step may meet in a model, or for want of memory, into InvalidModel and OutOfMemory."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidModel("a name in the model is not UTF-8 text") from error
    except MemoryError as error:
        raise OutOfMemory from error


class AuditCancelled(AuditError):
    """The caller's `cancelled` said so between two chunks."""

    reason = "CANCELLED"
