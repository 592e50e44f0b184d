"""False alarms on healthy specimens and missed findings on faulty ones, over many seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dropaudit.audit import audit
from dropaudit.plan import Plan, Provider
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.trials import Specimen, Verdicts, judged, subject_of
from dropaudit_evaluation.processes import over_processes

_SEEDS_AT_A_TIME = 10

OnAudits = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """One specimen with a run of seeds."""

    specimen: Specimen
    first_seed: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over the audits of specimens of one name.

    Attributes:
        wrong: audits with any false ERROR or WARNING.
        missing: audits that missed a finding.
        undecided: audits that ended INCONCLUSIVE.
        codes: how often each wrong or missed code was seen.
    """

    healthy: bool
    audits: int = 0
    false_errors: int = 0
    false_warnings: int = 0
    wrong: int = 0
    missing: int = 0
    undecided: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def with_verdicts(self, said: Verdicts) -> Tally:
        """Return the tally with one more audit."""
        false = said.false_errors | said.false_warnings
        return Tally(
            healthy=self.healthy,
            audits=self.audits + 1,
            false_errors=self.false_errors + bool(said.false_errors),
            false_warnings=self.false_warnings + bool(said.false_warnings),
            wrong=self.wrong + bool(false),
            missing=self.missing + bool(said.missed),
            undecided=self.undecided + said.undecided,
            codes=self.codes + Counter(f"+{code}" for code in false) + Counter(f"-{code}" for code in said.missed),
        )

    @property
    def alarms(self) -> Proportion:
        """Audits with a false finding."""
        return Proportion(self.wrong, self.audits)

    @property
    def misses(self) -> Proportion:
        """Audits that missed a finding."""
        return Proportion(self.missing, self.audits)


def audit_batch(batch: Batch) -> list[Verdicts]:
    """Audit a specimen once for each seed, on the CPU. Raises AuditError when one cannot be made."""
    subject = subject_of(batch.specimen)
    plans = (Plan(seed=batch.first_seed + number, provider=Provider.CPU) for number in range(batch.seeds))
    return [judged(batch.specimen, audit(subject, plan)) for plan in plans]


def ignore_progress(_done: int, _all: int) -> None:
    """Take no notice of progress."""


def count(
    specimens: Sequence[Specimen], audits: int, processes: int, progress: OnAudits = ignore_progress
) -> dict[str, Tally]:
    """Audit specimens and add up by name, in the order of the specimens.

    Args:
        specimens: with known answers; those of one name are all healthy or all faulty.
        audits: at least so many of each name, spread over its specimens.
        processes: how many audits at a time.
        progress: told after each batch how many audits are made, of how many.

    Raises:
        AuditError: an audit cannot be made.
        RuntimeError: a process died.
    """
    tallies = {specimen.name: Tally(healthy=specimen.healthy) for specimen in specimens}
    batches = _batches(specimens, audits)
    done, all_audits = 0, sum(batch.seeds for batch in batches)
    for batch, said in over_processes(audit_batch, batches, processes):
        if said is None:
            raise RuntimeError(f"the process died that audited {batch.specimen.name!r} from seed {batch.first_seed}")
        for verdicts in said:
            tallies[batch.specimen.name] = tallies[batch.specimen.name].with_verdicts(verdicts)
        done += batch.seeds
        progress(done, all_audits)
    return tallies


def _batches(specimens: Sequence[Specimen], audits: int) -> list[Batch]:
    """Give no two audits one seed, so that no two share their inputs and masks."""
    shares = Counter(specimen.name for specimen in specimens)
    batches, seed = [], 0
    for specimen in specimens:
        left = -(-audits // shares[specimen.name])
        while left > 0:
            batches.append(Batch(specimen, seed, min(_SEEDS_AT_A_TIME, left)))
            seed += batches[-1].seeds
            left -= batches[-1].seeds
    return batches
