"""Ends what the runtime does, from another thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import onnxruntime

from dropaudit.errors import AuditCancelled


class Interruption:
    """The runs of one audit in the runtime, and whether it has been told to end.

    The runtime looks between two nodes, and between two rounds of a Loop or Scan; while it loads a model, between two
    of its optimizers.
    """

    def __init__(self) -> None:
        self.run_options = onnxruntime.RunOptions()
        self.is_told = False
        self._loading: onnxruntime.SessionOptions | None = None

    def end(self) -> None:
        """End what runs now, and all that would run later."""
        self.is_told = True
        self.run_options.terminate = True
        if self._loading is not None:
            self._loading.set_load_cancellation_flag(True)

    @contextmanager
    def loading(self, options: onnxruntime.SessionOptions) -> Iterator[None]:
        """Let a model that is loaded with these options be ended too."""
        self._loading = options
        try:
            yield
        finally:
            self._loading = None

    def check(self) -> None:
        """Raise AuditCancelled when it has been told to end."""
        if self.is_told:
            raise AuditCancelled("ended while the model ran")


class Interrupter:
    """Ends the audit that runs inside `running`; for one at a time."""

    def __init__(self) -> None:
        self._current: Interruption | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let what this thread does in the runtime be ended by `end`, with AuditCancelled."""
        self._current = Interruption()
        token = _interruption.set(self._current)
        try:
            yield
        finally:
            _interruption.reset(token)
            self._current = None

    def end(self) -> None:
        """End the audit that runs now, if one does; from any thread."""
        current = self._current
        if current is not None:
            current.end()


_interruption: ContextVar[Interruption | None] = ContextVar("interruption", default=None)


def interruption() -> Interruption:
    """Return the interruption of this thread's audit; where there is none, one that never comes."""
    return _interruption.get() or Interruption()
