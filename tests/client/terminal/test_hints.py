from __future__ import annotations

from dropaudit.errors import InvalidModel, ProviderUnavailable
from dropaudit_client.terminal.hints import with_hint


def test_a_missing_gpu_is_told_with_the_option_that_helps() -> None:
    assert with_hint(ProviderUnavailable("no CUDA device answers", provider="cuda")) == (
        "no CUDA device answers (--provider cpu)"
    )


def test_a_missing_runtime_and_other_errors_have_no_such_option() -> None:
    assert with_hint(ProviderUnavailable("there is no runtime")) == "there is no runtime"
    assert with_hint(InvalidModel("it is broken")) == "it is broken"
