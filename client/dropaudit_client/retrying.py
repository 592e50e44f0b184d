"""When to call again: a function of what failed and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from dropaudit_client.errors import ServiceError, ServiceUnavailable

DEFAULT_PATIENCE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


@dataclass
class RetryPolicy:
    """How long a watch goes on while no server answers.

    Args:
        seconds: longest time in all without an answer.
        answered: whether a server has ever answered: where none has, the address is probably wrong, and nothing comes
            of waiting.
    """

    seconds: float
    answered: bool = True
    _spent: float = 0.0
    _pause: float = _FIRST_PAUSE

    def heard(self) -> None:
        """Note that the server answered: patience is whole again."""
        self._spent, self._pause, self.answered = 0.0, _FIRST_PAUSE, True

    def pause(self, error: ServiceError) -> float:
        """Return how long to wait before the next try. Raises the error when there is to be none."""
        if not (isinstance(error, ServiceUnavailable) and self.answered and self._spent < self.seconds):
            raise error
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        self._spent += pause
        return pause
