"""Parts that both documents have, and the kinds of their fields."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from dropaudit.acceptance import AcceptedFinding, Range, end_of_day
from dropaudit.acceptance.accepted import LONGEST_REASON
from dropaudit.findings import CATALOGUE
from dropaudit.plan import LARGEST_SEED, MIN_REPLICATES

LONGEST_NAME = 512
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _instant(value: object) -> object:
    """A day lasts to its end in UTC; an instant without a time zone is refused by its kind."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return end_of_day(value, UTC)
    return value


def _parsed(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _seconds(value: object) -> object:
    """Read 90, 90s, 15m, 2h or 1d."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,9})\s*([smhd]?)", value.strip())):
        return int(found[1]) * _UNITS[found[2] or "s"]
    if isinstance(value, str):
        raise ValueError("a duration is a number with s, m, h or d, such as 15m")
    return value


def _code(value: str) -> str:
    if value not in CATALOGUE:
        raise ValueError(f"there is no finding {value!r}; `dropaudit explain` lists them")
    return value


# Words are taken in capitals too, as the contract writes them.
ANY_CASE = BeforeValidator(_lower)
Role = Annotated[Literal["auto", "train", "inference"], ANY_CASE]
Provider = Annotated[Literal["auto", "cpu", "cuda"], ANY_CASE]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Text = Annotated[str, Field(max_length=LONGEST_NAME)]


def _has_one_name(value: str) -> str:
    if value.count("{name}") != 1:
        raise ValueError("must hold {name} once")
    return value


NamePattern = Annotated[Name, AfterValidator(_has_one_name)]
"""Whatever `{name}` stands for is the same in both patterns of a pair."""
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
Duration = Annotated[
    int,
    Field(gt=0, le=86400),
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+\s*[smhd]?$"}]}),
]
Code = Annotated[
    str, BeforeValidator(lambda value: _code(str(value))), WithJsonSchema({"type": "string", "enum": list(CATALOGUE)})
]


class Part(BaseModel):
    """A mapping of a document: unknown keys are wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Options(Part):
    """How audits measure and decide."""

    alpha: Annotated[float, Field(gt=0, le=0.5, description="Chance of any false finding.")] | None = None
    tolerance: (
        Annotated[float, Field(gt=0, lt=1, description="How far an output's scale factor may leave 1.")] | None
    ) = None
    max_replicates: (
        Annotated[int, Field(ge=MIN_REPLICATES, lt=2**31, description="Most replicates to draw.")] | None
    ) = None
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, description="Seed of inputs and masks.")] | None = None
    provider: Provider | None = Field(default=None, description="Where to run.")
    compare_provider: Provider | None = Field(default=None, description="Where to run inference as well.")


class Bounds(Part):
    """Numbers from one to another, both included."""

    lower: Finite
    upper: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.lower > self.upper:
            raise ValueError(f"lower {self.lower:g} is above upper {self.upper:g}")
        return self


class Accepted(Part):
    """A finding that is accepted: it stays in the report and does not move the verdict."""

    code: Code
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"\S", description="Why.")]
    member: Text = Field(default="*", description="Shell pattern of members; all where it is absent.")
    subject: Text = Field(default="*", description="Shell pattern of sites and outputs; all where it is absent.")
    accepted_by: Text = Field(default="", description="Who accepts it.")
    expire_time: Instant | None = Field(
        default=None, description="Through which day (in UTC), or until which instant with a time zone."
    )
    range: Bounds | None = Field(default=None, description="Where the finding's number may lie.")

    def plain(self) -> AcceptedFinding:
        """Return it as the core knows it."""
        span = None if self.range is None else Range(lower=self.range.lower, upper=self.range.upper)
        return AcceptedFinding(
            code=self.code,
            reason=self.reason,
            member=self.member,
            subject=self.subject,
            accepted_by=self.accepted_by,
            expire_time=self.expire_time,
            range=span,
        )
