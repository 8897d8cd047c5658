"""p50 and p99 of every gateway at every point, as an SVG without any library.

A panel for each point; in it a row for each gateway: a dot at p50 and a line to p99. All panels
have one logarithmic axis of milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from bench.gateway_speed.names import LOOPBACK, TUNNEL
from bench.gateway_speed.results import AT_ONCE, POINTS, Point, Result

DECADES = (-2, 4)
"""Of the axis: 0.01 ms to 10 s."""
NAMES_WIDTH, PANEL_WIDTH, GAP = 170, 240, 40
ROW_HEIGHT, TITLE_HEIGHT, AXIS_HEIGHT = 16, 24, 20
OURS, OTHER = "#c2410c", "#475569"


def x_of(milliseconds: float) -> float:
    """Pixels from the panel's left edge; what lies outside the axis is drawn at its end.

    >>> x_of(0.01), x_of(10), x_of(1e9)
    (0.0, 120.0, 240.0)
    """
    low, high = DECADES
    share = (math.log10(max(milliseconds, 10**low)) - low) / (high - low)
    return min(share, 1.0) * PANEL_WIDTH


def svg(result: Result) -> str:
    kinds = list(dict.fromkeys(point.kind for point in POINTS))
    panel_height = TITLE_HEIGHT + ROW_HEIGHT * len(result.gateways) + AXIS_HEIGHT
    width = NAMES_WIDTH + len(AT_ONCE) * (PANEL_WIDTH + GAP)
    height = len(kinds) * panel_height + 24
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>',
        "<style>text { font: 11px sans-serif }</style>",
        f'<rect {size} fill="white"/>',
    ]
    for row, kind in enumerate(kinds):
        top = row * panel_height
        lines += _names(result, top)
        for column, point in enumerate(p for p in POINTS if p.kind == kind):
            left = NAMES_WIDTH + column * (PANEL_WIDTH + GAP)
            lines += _panel(result, point, left, top)
    legend = "ms of a whole answer: a dot at p50, a line to p99; medians of the rounds"
    lines += [_text(NAMES_WIDTH, height - 8, legend), "</svg>"]
    return "\n".join(lines) + "\n"


def _names(result: Result, top: float) -> Iterator[str]:
    for index, name in enumerate(result.gateways):
        yield _text(NAMES_WIDTH - 8, _row(top, index) + 4, name, anchor="end", color=_color(name))


def _panel(result: Result, point: Point, left: float, top: float) -> Iterator[str]:
    bottom = top + TITLE_HEIGHT + ROW_HEIGHT * len(result.gateways)
    yield _text(left, top + TITLE_HEIGHT - 8, str(point))
    for decade in range(DECADES[0], DECADES[1] + 1):
        x = left + x_of(10**decade)
        yield _line((x, top + TITLE_HEIGHT), (x, bottom), "#e2e8f0", 1)
        yield _text(x, bottom + 12, f"{10**decade:g}", anchor="middle", color="#64748b")
    for index, name in enumerate(result.gateways):
        found = result.summary(name, point)
        if found is not None:
            y, p50 = _row(top, index), left + x_of(found.p50_ms.median)
            yield _line((p50, y), (left + x_of(found.p99_ms.median), y), _color(name), 2)
            yield f'<circle cx="{p50:.1f}" cy="{y:.1f}" r="3.5" fill="{_color(name)}"/>'


def _row(top: float, index: int) -> float:
    return top + TITLE_HEIGHT + ROW_HEIGHT * (index + 0.5)


def _color(name: str) -> str:
    return OURS if name in (LOOPBACK, TUNNEL) else OTHER


def _line(start: tuple[float, float], end: tuple[float, float], color: str, width: int) -> str:
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{color}" stroke-width="{width}"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", color: str = "#0f172a") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{color}">{escape(text)}</text>'
