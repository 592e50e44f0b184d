"""How the cost of all statistics grows with replicates, hidden size, time steps and sites: exponents and a plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cases import Case
from driver import Contender, medians

REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Series:
    """Seconds by the value of one parameter, and the exponent of the power law through the upper half of them."""

    name: str
    values: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of log seconds on log values, least squares, over the upper half: below it fixed costs count."""
        half = len(self.values) // 2
        slope, _ = np.polyfit(np.log(self.values[half:]), np.log(self.seconds[half:]), 1)
        return float(slope)


def measure(contender: Contender, rounds: int) -> list[Series]:
    """Time a contender along each parameter, the others at the standard case."""
    plain = Case()
    asked: Mapping[str, Sequence[tuple[int, Case, int]]] = {
        "replicates T": [(t, plain, t) for t in (250, 500, 1000, 2000, 4000, 8000, 16000)],
        "hidden size": [(size, replace(plain, hidden=size), REPLICATES) for size in (32, 64, 128, 256, 512)],
        "time steps": [(steps, replace(plain, time=steps), REPLICATES) for steps in (4, 8, 16, 32, 64)],
        "sites (layers)": [(n, replace(plain, layers=n, between=0.3), REPLICATES) for n in (1, 2, 3, 4)],
    }
    return [
        Series(
            name,
            tuple(value for value, _, _ in points),
            tuple(medians([contender], case, count, rounds)[contender.name] for _, case, count in points),
        )
        for name, points in asked.items()
    ]


def plot(found: Sequence[Series], path: Path) -> None:
    """Draw each series on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(found), 3.4), layout="constrained")
    for series, axes in zip(found, figure.subplots(1, len(found), sharey=True), strict=True):
        axes.loglog(series.values, [1000 * each for each in series.seconds], "o-", color="#1f5fa8")
        axes.set_xlabel(series.name)
        axes.set_title(f"exponent {series.exponent:.2f}", fontsize=10)
        axes.grid(visible=True, which="both", alpha=0.25)
        axes.set_xticks(series.values, [str(value) for value in series.values])
        axes.minorticks_off()
    figure.axes[0].set_ylabel("milliseconds")
    figure.savefig(path, metadata={"Date": None})


def rows(found: Sequence[Series]) -> list[str]:
    """Return the lines of a table."""
    lines = ["| parameter | values | milliseconds | exponent |", "|---|---|---|---|"]
    for series in found:
        milliseconds = ", ".join(f"{1000 * each:.3g}" for each in series.seconds)
        values = ", ".join(map(str, series.values))
        exponent = "-" if math.isnan(series.exponent) else f"{series.exponent:.2f}"
        lines.append(f"| {series.name} | {values} | {milliseconds} | {exponent} |")
    return lines
