"""Elements of SVG, every text in them escaped."""

from __future__ import annotations

from markupsafe import Markup, escape

from dropaudit_formats.escape import safe

WIDTH = 340


def element(tag: str, *children: Markup | str, **attributes: str | float) -> Markup:
    """Return an element; `class_` stands for class, and an underscore in a name for a hyphen."""
    given = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items())
    inner = Markup("").join(child if isinstance(child, Markup) else escape(safe(child)) for child in children)
    return Markup(f"<{tag}{given}>{inner}</{tag}>") if inner else Markup(f"<{tag}{given}/>")


def picture(told: str, height: float, *parts: Markup, width: float = WIDTH) -> Markup:
    """Return a drawing of a height in user units; `told` says in words what it shows."""
    box = f"0 0 {_value(width)} {_value(height)}"
    return element("svg", *parts, viewBox=box, role="img", aria_label=told)


def text(x: float, y: float, words: str, **attributes: str | float) -> Markup:
    """Return words at a point."""
    return element("text", words, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: list[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """Return a line through points, or the area that it encloses."""
    joined = "L".join(f"{_value(x)} {_value(y)}" for x, y in points)
    return element("path", d=f"M{joined}{'Z' if closed else ''}", class_=class_)


def _name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-") if name != "viewBox" else name


def _value(value: str | float) -> str:
    return str(escape(safe(value))) if isinstance(value, str) else f"{round(value, 1):g}"
