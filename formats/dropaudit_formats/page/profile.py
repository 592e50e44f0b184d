"""The scale factor at each time step, beside the one that is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from dropaudit_formats.page import axes, svg

HEIGHT = 160.0
# More steps than pixels say nothing more.
_MOST_STEPS = 300


def profile(factors: Sequence[float], tolerance: float) -> Markup | None:
    """Draw a factor a step, and 1 with its tolerance; nothing for a single step, or where a factor is not finite."""
    if len(factors) < 2 or not all(map(math.isfinite, factors)):
        return None
    up = axes.upward(*axes.around([*factors, 1 - tolerance, 1 + tolerance]), HEIGHT)
    along = axes.across(1, len(factors))
    stride = -(-len(factors) // _MOST_STEPS)
    points = [(along.at(step), up.at(factors[step - 1])) for step in range(1, len(factors) + 1, stride)]
    dots = [svg.element("circle", cx=x, cy=y, r=2, class_="dot") for x, y in points] if len(points) <= 40 else []
    whole = [value for value in axes.ticks(1, len(factors)) if value == round(value)]
    zone = (up.at(1 + tolerance), up.at(1 - tolerance))
    return svg.picture(
        f"Scale factor over {len(factors)} time steps: between {min(factors):.3g} and {max(factors):.3g}, expected 1",
        HEIGHT,
        svg.element(
            "rect", x=along.start, y=zone[0], width=along.end - along.start, height=zone[1] - zone[0], class_="zone"
        ),
        svg.line(along.start, up.at(1), along.end, up.at(1), "expected"),
        svg.text(along.end, 10, "expected 1", text_anchor="end", class_="note"),
        svg.path(points, "curve"),
        *dots,
        axes.left_axis(up, "scale factor"),
        axes.bottom_axis(along, HEIGHT, "time step", whole),
    )
