"""The tables of benchmarks/calibration.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dropaudit.plan import DEFAULT_ALPHA
from dropaudit_evaluation.calibration.binomial import LEVEL, Proportion
from dropaudit_evaluation.calibration.document import ALARMS, KEEP_RATE, MEAN, Document

_INTRODUCTION = f"""# How often the audit errs

`make calibrate` writes this file and calibration.json. Rates are followed by their exact {LEVEL:.0%} binomial interval
(Clopper & Pearson 1934); a rate whose interval lies above its nominal level is in bold.
"""
_KEEP_RATE = """## The confidence sequence for a keep probability

Share of streams whose interval ever missed the true probability: after every cell of a stream, and on a schedule that
doubles (the audit looks at every quarter more). *Exact* is the probability itself, carried from cell to cell. By
Ville's inequality none exceeds alpha.
"""
_MEAN = """## The asymptotic sequence for an output's scale factor

Streams of scale factors of inverted dropout on outputs of 1, 10 and 50 elements of unequal weight, watched from the
64th replicate on. A *miss* is an interval that ever excludes the true mean 1; a *false decision* is a first decided
look that finds the mean outside of 1 ± 0.02, which is what would be reported. *Patient* streams are looked at only
where `dropaudit.stats.mean.may_look` allows it, as the audit does: when 24 effective values, count over kurtosis, carry
the spread. At the outermost keep probabilities a patient stream of one element is not looked at within these 2,048
replicates: the audit goes on to draw more.
"""
_ALARMS = """## False alarms and power

Whole audits on the CPU at alpha 0.001, each with a seed of its own: small graphs, the reference models, LSTMs of every
kind of `dropaudit_models.specimens` at up to 20 places, spellings and keep probabilities, the healthy ones of its
situations in which an audit is easily wrong, and what is healthy among 400 spellings of the grammar (`make spellings`).
A *false finding* is one of severity ERROR or WARNING that is not right for the model, and a finding that has to be
there and is not is *missed*, on healthy models such as information about shared masks. *Undecided* audits ended
INCONCLUSIVE, which is not a false finding. In the last column `+` is a false code and `-` a missed one.
"""


def markdown(document: Document) -> str:
    """Return the page for those parts that the document has."""
    sections = [_INTRODUCTION]
    if KEEP_RATE in document:
        sections.append(_KEEP_RATE + "\n" + _keep_rate(document[KEEP_RATE]))
    if MEAN in document:
        sections.append(_MEAN + "\n" + _mean(document[MEAN]))
    if ALARMS in document:
        sections.append(_ALARMS + "\n" + _alarms(document[ALARMS]))
    return "\n".join(sections)


def _keep_rate(rows: Iterable[Document]) -> str:
    header = ("keep probability", "alpha", "looks", "streams", "missed", "exact")
    return _table(
        header,
        (
            (
                f"{row['keepProb']:g}",
                f"{row['alpha']:g}",
                row["schedule"],
                str(row["misses"]["trials"]),
                _rate(row["misses"], row["alpha"]),
                "" if row["exact"] is None else f"{row['exact']:.5f}",
            )
            for row in rows
        ),
    )


def _mean(rows: Sequence[Document]) -> str:
    """Put the patient stream beside the other one."""
    header = ("elements", "q", "alpha", "looks", "missed", "decided falsely", "patient: missed", "decided falsely")
    return _table(header, _mean_cells(rows))


def _mean_cells(rows: Sequence[Document]) -> Iterator[tuple[str, ...]]:
    for plain, patient in zip(rows[::2], rows[1::2], strict=True):
        alpha = plain["alpha"]
        yield (
            str(plain["elements"]),
            f"{plain['keepProb']:g}",
            f"{alpha:g}",
            plain["schedule"],
            *(_rate(row[what], alpha) for row in (plain, patient) for what in ("misses", "falseDecisions")),
        )


def _alarms(rows: Sequence[Document]) -> str:
    healthy = [row for row in rows if row["healthy"]]
    faulty = [row for row in rows if not row["healthy"]]
    header = ("healthy", "audits", "ERROR", "false WARNING", "any, upper bound", "missed", "undecided", "codes")
    names = ("faulty", "audits", "missed", "missed, upper bound", "any false finding", "undecided", "codes")
    return _table(header, map(_healthy_cells, healthy)) + _sum(healthy) + _table(names, map(_faulty_cells, faulty))


def _healthy_cells(row: Document) -> tuple[str, ...]:
    counts = (row["falseErrors"], row["falseWarnings"])
    return (
        row["name"],
        str(row["audits"]),
        *map(str, counts),
        f"{row['wrong']['upper']:.5f}",
        str(row["missing"]["events"]),
        str(row["undecided"]),
        _codes(row),
    )


def _faulty_cells(row: Document) -> tuple[str, ...]:
    missing = row["missing"]
    return (
        row["name"],
        str(row["audits"]),
        str(missing["events"]),
        f"{missing['upper']:.5f}",
        str(row["wrong"]["events"]),
        str(row["undecided"]),
        _codes(row),
    )


def _sum(rows: Sequence[Document]) -> str:
    """Say in a sentence how many healthy audits had a false finding, and what that says about the rate."""
    audits = sum(row["audits"] for row in rows)
    if not audits:
        return "\n"
    found = Proportion(sum(row["wrong"]["events"] for row in rows), audits)
    consistent = "not consistent" if found.refutes_at_most(DEFAULT_ALPHA) else "consistent"
    return (
        f"\nOf {audits} audits of healthy models {found.events} had a false finding: the rate is at most"
        f" {found.upper:.5f} (exact bound), which is {consistent} with the nominal level {DEFAULT_ALPHA:g}.\n\n"
    )


def _codes(row: Document) -> str:
    return ", ".join(f"{code} {times}x" for code, times in row["codes"].items())


def _rate(found: Document, nominal: float) -> str:
    rate = f"{found['events'] / found['trials']:.4f}"
    marked = f"**{rate}**" if found["lower"] > nominal else rate
    return f"{marked} [{found['lower']:.4f}, {found['upper']:.4f}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]
    return "\n".join(lines) + "\n"
