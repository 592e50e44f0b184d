"""A study of spellings for people."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator

from dropaudit_evaluation.spellings.study import Result

_KINDS = ("law", "role", "place", "threshold", "application", "scale", "draw", "seeds")
_EXAMPLES, _MOST_SYMPTOMS, _MOST_FEATURES = 3, 40, 40


def study_text(results: tuple[Result, ...], wall_seconds: float) -> str:
    """Return what disagrees by symptom and by feature, and the times."""
    wrong = [result for result in results if result.disagreements]
    return "\n".join([*_symptoms(wrong), "", *_features(results), "", *_totals(results, wrong, wall_seconds), ""])


def _symptoms(wrong: list[Result]) -> Iterator[str]:
    """Group by what the graph is and what the audit says of it, most frequent first."""
    groups: dict[str, list[Result]] = {}
    for result in wrong:
        groups.setdefault(symptom(result), []).append(result)
    for name, group in sorted(groups.items(), key=lambda item: -len(item[1]))[:_MOST_SYMPTOMS]:
        files = " ".join(result.label.file for result in group[:_EXAMPLES])
        yield f"{len(group):5}  {name}"
        yield f"       {files}"


def symptom(result: Result) -> str:
    """Name what is wrong with a result: the laws of the sites, and the disagreements without their numbers."""
    laws = "+".join(sorted({feature.removeprefix("law:") for feature in result.features if feature.startswith("law:")}))
    sentences = "; ".join(re.sub(r"\d+\.\d+|'[^']*'", "…", sentence)[:100] for sentence in result.disagreements)
    return f"[{laws}] {sentences}"


def _features(results: tuple[Result, ...]) -> Iterator[str]:
    """List features by the share of their graphs that disagree."""
    counts: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for result in results:
        of_interest = [feature for feature in result.features if feature.split(":")[0] in _KINDS]
        counts.update(of_interest)
        wrong.update(of_interest if result.disagreements else ())
    yield f"{'feature':44} {'graphs':>7} {'differ':>7}"
    for feature in sorted(wrong, key=lambda name: (-wrong[name] / counts[name], name))[:_MOST_FEATURES]:
        yield f"{feature:44} {counts[feature]:>7} {wrong[feature]:>7}  {wrong[feature] / counts[feature]:>6.1%}"


def _totals(results: tuple[Result, ...], wrong: list[Result], wall_seconds: float) -> Iterator[str]:
    yield f"{len(results) - len(wrong)} of {len(results)} spellings are judged right, {len(wrong)} are not"
    if results:
        seconds = [result.seconds for result in results]
        middle, most = statistics.median(seconds), max(seconds)
        yield f"{wall_seconds:.1f} s in all; an audit takes {middle:.3f} s (median), {most:.2f} s at most"
