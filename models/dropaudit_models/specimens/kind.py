"""Specimens: models whose audit is known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import onnx

from dropaudit.errors import InvalidArgument
from dropaudit.plan import Role
from dropaudit.report import Family, Placement, Verdict
from dropaudit_models.lstm.recipe import UNIFORM_CHAINS, Draw
from dropaudit_models.lstm.spec import FloatType, opsets_of
from dropaudit_models.specimens.setting import USUAL, Setting, Where

Build = Callable[[Setting], onnx.ModelProto]

# Bernoulli is not among them: ONNX Runtime draws it inverted, so it is right at keep probability .5 alone.
SPELLINGS = (Draw.OPERATOR, *UNIFORM_CHAINS)
_APART = 0.01
PASS, WARN, FAIL, UNDECIDED = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.INCONCLUSIVE
KEEP_PROBS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
# Where keep probability and drop rate are one number, nobody can tell them apart.
EQUAL = (0.5,)
UNEQUAL = tuple(keep_prob for keep_prob in KEEP_PROBS if keep_prob != 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer that an audit must give.

    Attributes:
        verdicts: any of these.
        codes: findings that must all be there.
        codes_any: of each group at least one.
        not_codes: findings that must not be there.
        no_errors: no finding of severity ERROR.
    """

    verdicts: tuple[Verdict, ...]
    codes: frozenset[str] = frozenset()
    codes_any: tuple[frozenset[str], ...] = ()
    not_codes: frozenset[str] = frozenset()
    no_errors: bool = False

    def besides(self, *codes: str) -> Answer:
        """Return the answer with more findings that must be there."""
        return replace(self, codes=self.codes | frozenset(codes))


def fails(*codes: str, never: tuple[str, ...] = ()) -> Callable[[Setting], Answer]:
    """Return the answer FAIL with these findings and none of `never`, whatever the setting."""
    answer = Answer(verdicts=(FAIL,), codes=frozenset(codes), not_codes=frozenset(never))
    return lambda setting: answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A class of models with one answer, healthy or faulty.

    Attributes:
        says: one sentence on what the model does.
        train: builds the artifact, or of a pair the train artifact.
        inference: builds a pair's other artifact.
        role: to audit a single artifact in.
        answer: what the audit must say.
        twin: name of the healthy kind with the same weights; its own name where the kind is healthy.
        family: what the audit must call the site; None where it is not looked at.
        declares: the keep probability to declare to the audit, None for none.
        draws, places, dtypes, opsets: the settings it exists in.
        keep_probs: those that a corpus draws from. Others exist too, unless there is only one, but for those within
            0.01 of `apart_from`, where the fault is another one or none.
        fixed: (batch, steps) where the kind needs fixed extents.
        placed: whether the setting's place is where the audit must see the site.
    """

    name: str
    says: str
    train: Build
    answer: Callable[[Setting], Answer]
    twin: str
    inference: Build | None = None
    role: Role = Role.TRAIN
    family: Family | None = None
    declares: Callable[[Setting], float | None] = field(default=lambda setting: None)
    draws: tuple[Draw, ...] = SPELLINGS
    places: tuple[Where, ...] = USUAL
    keep_probs: tuple[float, ...] = KEEP_PROBS
    apart_from: tuple[float, ...] = ()
    dtypes: tuple[FloatType, ...] = (FloatType.FLOAT32,)
    opsets: range | None = None
    fixed: tuple[int, int] | None = None
    placed: bool = True

    @property
    def healthy(self) -> bool:
        """Whether there is nothing wrong."""
        return self.twin == self.name

    def exists_in(self, setting: Setting) -> bool:
        """Whether the kind has a specimen of this setting."""
        spelled = setting.draw in self.draws and setting.opset in (self.opsets or opsets_of(setting.draw))
        placed = setting.where in self.places and self.has_rate(setting.keep_prob)
        sized = setting.dtype in self.dtypes and (self.fixed is None or self.fixed == (setting.batch, setting.steps))
        return spelled and placed and sized

    def specimen(self, setting: Setting) -> Specimen:
        """Return the specimen of a setting. Raises InvalidArgument for one that the kind does not exist in."""
        if not self.exists_in(setting):
            raise InvalidArgument(f"there is no {self.name} with {setting.slug}", name=self.name)
        return Specimen(self, setting)

    def has_rate(self, keep_prob: float) -> bool:
        """Whether the kind exists at a keep probability."""
        if len(self.keep_probs) == 1:
            return keep_prob == self.keep_probs[0]
        return 0 < keep_prob < 1 and all(abs(keep_prob - other) > _APART for other in self.apart_from)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One model, or one pair, with the answer that its audit must give."""

    kind: Kind
    setting: Setting

    @property
    def name(self) -> str:
        """Unique among specimens: it names the file."""
        return f"{self.kind.name}__{self.setting.slug}"

    @property
    def role(self) -> Role:
        """Role to audit it in; a pair's train artifact has role train."""
        return self.kind.role

    @property
    def answer(self) -> Answer:
        """The answer that the audit must give."""
        return self.kind.answer(self.setting)

    @property
    def placement(self) -> Placement | None:
        """The placement that the audit must report for the site; None where it is not compared."""
        return self.setting.placement if self.kind.placed else None

    @property
    def family(self) -> Family | None:
        """The implementation that the audit must report for the site."""
        return self.kind.family

    @property
    def keep_prob(self) -> float | None:
        """The keep probability to declare to the audit."""
        return self.kind.declares(self.setting)

    def model(self) -> onnx.ModelProto:
        """Build the artifact, of a pair the train artifact; the same one each time."""
        return self.kind.train(self.setting)

    def inference_model(self) -> onnx.ModelProto | None:
        """Build a pair's inference artifact, None for a single artifact."""
        return None if self.kind.inference is None else self.kind.inference(self.setting)

    def row(self) -> dict[str, Any]:
        """Return the specimen's row of a corpus's labels.json; the files are named after the specimen."""
        answer, file = self.answer, f"{self.name}.onnx"
        optional = {
            "inference": f"{self.name}__inference.onnx" if self.kind.inference else None,
            "keep_prob_in": self.keep_prob,
            "placement": self.placement,
            "family": self.family,
            "codes_any": [sorted(group) for group in answer.codes_any] or None,
            "no_errors": answer.no_errors or None,
        }
        return {
            "file": file,
            "framework": "native",
            "exporter": "dropaudit_models",
            "dropout": self.kind.says,
            "rate": round(1 - self.setting.keep_prob, 6),
            "role": str(self.role),
            "verdict": [str(verdict) for verdict in answer.verdicts],
            "codes": sorted(answer.codes),
            "not_codes": sorted(answer.not_codes),
            **{key: value for key, value in optional.items() if value is not None},
        }
