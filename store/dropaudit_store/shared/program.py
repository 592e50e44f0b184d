"""Server, worker and beat as programs: what they say of themselves, and what they check before they start."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import structlog
from pydantic_settings import BaseSettings

from dropaudit.errors import AuditError

# Says how it found things; raises where they are not as they must be.
Check = Callable[[], str]
_WIDTH = 100
# How alike a misspelled setting and the one that is meant are, by difflib; names of two settings are less so.
_ALIKE = 0.82


_log = structlog.get_logger(__name__)


class CheckFailed(Exception):
    """Something is there and does not do what it must; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is configured by its environment alone.

    Attributes:
        command: how it is called.
        meaning: what it is, and what it does until it ends.
        settings: what it reads.
        roles: what it can run as, and what that does; the first unless another is named.
    """

    command: str
    meaning: str
    settings: type[BaseSettings]
    roles: Mapping[str, str] = field(default_factory=dict)

    def asked(self, arguments: Sequence[str]) -> tuple[str, bool]:
        """Return the role that it is to run in, and whether it is only to check what it would start with.

        Ends this process for --help, and for a wrong use with status 2.
        """
        parser = argparse.ArgumentParser(
            prog=self.command,
            description=textwrap.fill(self.meaning, _WIDTH),
            epilog=f"settings, read from the environment:\n{_described(self.settings)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sentence = "check settings and what they name, a line for each, and start nothing; 0 when all is well"
        parser.add_argument("--check", action="store_true", help=sentence)
        if self.roles:
            meanings = "; ".join(f"{role}: {meaning}" for role, meaning in self.roles.items())
            parser.add_argument("role", nargs="?", choices=[*self.roles], default=next(iter(self.roles)), help=meanings)
        found = parser.parse_args(arguments)
        return str(getattr(found, "role", "")), bool(found.check)

    def misspelled(self, environ: Mapping[str, str]) -> list[str]:
        """Return a sentence for each variable that nothing reads and that is nearly the name of a setting.

        Other variables may be for another program, or for a newer version of this one.
        """
        read = [variable(self.settings, name) for name in self.settings.model_fields]
        prefix = str(self.settings.model_config.get("env_prefix", ""))
        found = []
        for name in sorted(environ):
            if name.upper().startswith(prefix) and name.upper() not in read:
                # The prefix, which all have, would make all alike.
                words = [each.removeprefix(prefix) for each in read]
                meant = get_close_matches(name.upper().removeprefix(prefix), words, 1, _ALIKE)
                found += [f"nothing reads {name}; is {prefix}{each} meant?" for each in meant]
        return found


def variable(settings: type[BaseSettings], name: str) -> str:
    """Return the variable of the environment that a setting is read from."""
    return f"{settings.model_config.get('env_prefix', '')}{name}".upper()


def default_of(settings: type[BaseSettings], name: str) -> str:
    """Return the default of a setting, as one would write it."""
    default = settings.model_fields[name].default
    return f"{default:g}" if isinstance(default, float) else str(default)


def _described(settings: type[BaseSettings]) -> str:
    lines = []
    for name, each in settings.model_fields.items():
        lines.append(f"  {variable(settings, name)}={default_of(settings, name)}")
        lines.append(textwrap.indent(textwrap.fill(each.description or "", _WIDTH), " " * 6))
    return "\n".join(lines)


def refuse(program: str, sentences: Iterable[str]) -> int:
    """Say what is wrong, a line each, and return the status to exit with."""
    for sentence in sentences:
        print(f"{program}: {sentence}", file=sys.stderr)
    return 2


def warn_of_settings(sentences: Iterable[str]) -> None:
    """Log what is odd about settings, which a program starts with all the same."""
    for sentence in sentences:
        _log.warning("a setting is not read", why=sentence)


def failed_settings(sentences: Iterable[str]) -> int:
    """Print what is wrong with settings as a check that failed, a line each, and return the status to exit with."""
    for sentence in sentences:
        print(f"settings: FAILED, {_line(sentence)}")
    return 1


def run_checks(checks: Mapping[str, Check], misspelled: Sequence[str] = ()) -> int:
    """Make checks, print a line for each, and return the status to exit with: 1 when any failed.

    Args:
        checks: by name.
        misspelled: sentences about settings that are not read; each counts as failed.
    """
    failed = bool(misspelled and failed_settings(misspelled))
    for name, check in checks.items():
        try:
            print(f"{name}: ok, {_line(check())}")
        except Exception as error:  # whatever it is, it is said, and the others are checked too
            failed = True
            print(f"{name}: FAILED, {_line(_said(error))}")
    return int(failed)


def _said(error: Exception) -> str:
    if isinstance(error, AuditError):
        return error.message
    return str(error) if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"


def _line(text: str) -> str:
    return " ".join(text.split())
