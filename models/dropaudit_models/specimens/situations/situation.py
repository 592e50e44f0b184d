"""Situations: small graphs whose right answer follows from the contract, and why it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import onnx

from dropaudit.plan import Role
from dropaudit.report import Verdict
from dropaudit_models.specimens.kind import FAIL, PASS, Answer


class Difficulty(StrEnum):
    """The property that makes an audit go wrong."""

    UNMEASURED = "unmeasured"  # nothing can be measured where the site or the output is zero
    EQUAL_SEEDS = "equal-seeds"  # masks that are the same, or of which one decides the other
    RATE_FROM_DATA = "rate-from-data"
    CONTRADICTION = "contradiction"  # where one finding easily denies another
    ONE_NAME = "one-name"  # several outputs, sites on one result, node names used twice
    DIVIDED_BEFORE = "divided-before"  # x / q before a mask whose shape is not that of x
    CRASH = "crash"  # what ended the process, or the audit without a reason
    REWRITTEN = "rewritten"  # valid models that a rewriting of ours spoiled
    COMPUTED_CONSTANT = "computed-constant"  # rates, thresholds and factors that the graph computes
    SPELLED = "spelled"  # masks in unusual operators
    OTHER_RANDOMNESS = "other-randomness"  # blocks, ids, states and scores
    SWITCHED = "switched"  # dead sites, switches, branches
    FACTOR_BESIDE = "factor-beside"  # part of the scale stands beside the site
    RARE = "rare"  # randomness that few runs show
    RANDOM_REFERENCE = "random-reference"  # what is random beside dropout
    PAPER_PAIR = "paper-pair"  # pairs that differ otherwise than by dropout
    EXTRA = "extra"  # outputs and inputs of one artifact alone, integers, padding
    TINY = "tiny"  # few cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One artifact or pair.

    Attributes:
        name: begins with that of its difficulty.
        says: one sentence on what the graph does.
        why: how the right answer follows.
        model: the artifact, of a pair the train artifact.
        inference: a pair's other artifact.
        role: to audit a single artifact in.
        answer: what the audit must say.
        error: reason of an audit that cannot be made, in lower case with hyphens; there is no report then.
        twin: name of the healthy situation that differs in the fault alone; its own name where nothing is wrong.
        factor: E[train output] over the plain output, of the first output; None where it is not of interest.
        share: of the first output's elements that are not zero in train mode.
    """

    difficulty: Difficulty
    name: str
    says: str
    why: str
    model: onnx.ModelProto
    answer: Answer
    twin: str
    inference: onnx.ModelProto | None = None
    role: Role = Role.TRAIN
    error: str | None = None
    factor: float | None = None
    share: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether there is nothing wrong."""
        return self.twin == self.name

    def row(self) -> dict[str, Any]:
        """Return the situation's row of a labelled folder; the files are named after it."""
        answer = self.answer
        optional = {
            "inference": None if self.inference is None else f"{self.name}__inference.onnx",
            "codes_any": [sorted(group) for group in answer.codes_any] or None,
            "no_errors": answer.no_errors or None,
            "error": self.error,
        }
        return {
            "file": f"{self.name}.onnx",
            "framework": "native",
            "exporter": "dropaudit_models",
            "dropout": self.says,
            "why": self.why,
            "role": str(self.role),
            "verdict": [str(verdict) for verdict in answer.verdicts],
            "codes": sorted(answer.codes),
            "not_codes": sorted(answer.not_codes),
            **{key: value for key, value in optional.items() if value is not None},
        }


# Findings that none of the healthy graphs may raise, unless its answer names them.
INNOCENT = frozenset(
    {"DA101", "DA102", "DA103", "DA104", "DA105", "DA106", "DA201", "DA202", "DA203", "DA301", "DA302", "DA303"}
    | {"DA401", "DA402", "DA404", "DA406", "DA407", "DA501", "DA502", "DA504", "DA901"}
)


def healthy(*codes: str, verdicts: tuple[Verdict, ...] = (PASS,), but: tuple[str, ...] = ()) -> Answer:
    """Return the answer for a right graph: these findings, no error, and none of INNOCENT except `but`."""
    never = INNOCENT - set(codes) - set(but)
    return Answer(verdicts=verdicts, codes=frozenset(codes), not_codes=never, no_errors=True)


def faulty(*codes: str, never: tuple[str, ...] = ()) -> Answer:
    """Return the answer FAIL with these findings, and none of `never`."""
    return Answer(verdicts=(FAIL,), codes=frozenset(codes), not_codes=frozenset(never))


def faulty_any(*codes: str, never: tuple[str, ...] = ()) -> Answer:
    """Return the answer FAIL with one of these findings at least, and none of `never`."""
    return Answer(verdicts=(FAIL,), codes_any=(frozenset(codes),), not_codes=frozenset(never))
