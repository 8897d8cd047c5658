"""Two plots in one picture: how good the boxes are, and what a stricter IoU costs.

Drawn with Pillow, which is here anyway; a plot library would be the client's largest dependency.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from app.client.evaluation.scores import Score, precision, ratio, recall

BINS = 20
THRESHOLDS = tuple(i / 20 for i in range(1, 20))

_SCALE = 2
_PANEL = (560, 380)
_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 52, 18, 48
_INK, _GREY, _PALE = "#1f2933", "#66727f", "#e4e8ec"
_BLUE, _ORANGE = "#2563eb", "#d9730d"


def histogram(scores: Sequence[Score]) -> tuple[int, ...]:
    """True boxes by the IoU of what was answered for them, in equal bins from 0 to 1."""
    bins = [0] * BINS
    for score in scores:
        for found in score.truth:
            bins[min(int(found * BINS), BINS - 1)] += 1
    return tuple(bins)


def curve(scores: Sequence[Score]) -> list[tuple[float, float | None, float | None]]:
    """Precision and recall at each threshold of IoU."""
    return [
        (
            threshold,
            ratio([precision(score, threshold) for score in scores]),
            ratio([recall(score, threshold) for score in scores]),
        )
        for threshold in THRESHOLDS
    ]


def plot(title: str, scores: Sequence[Score]) -> Image.Image:
    """1120 by 380 points at twice the resolution."""
    picture = Image.new("RGB", (2 * _PANEL[0] * _SCALE, _PANEL[1] * _SCALE), "white")
    draw = ImageDraw.Draw(picture)
    bins = histogram(scores)
    left = _Panel(
        draw, 0, f"{title[:44]}: {sum(bins)} true boxes", "IoU (0: not found)", 5 * _step(max(bins))
    )
    for i, count in enumerate(bins):
        left.bar(i / BINS, (i + 1) / BINS, count)
    right = _Panel(draw, _PANEL[0], "Precision and recall", "IoU from which a box is right", 1)
    points = curve(scores)
    # Precision is the wider line, so that it is seen where both are the same.
    for name, column, colour, width in (("precision", 1, _BLUE, 4), ("recall", 2, _ORANGE, 2)):
        known = [(p[0], value) for p in points if (value := p[column]) is not None]
        if known:
            right.line(known, colour, width)
        right.word(name, 0.04, 0.22 - 0.08 * column, colour)
    return picture


def _step(top: int) -> int:
    """1, 2 or 5 times a power of ten, so that five steps reach the top."""
    steps = (digit * 10**power for power in range(10) for digit in (1, 2, 5))
    return next(step for step in steps if 5 * step >= top)


class _Panel:
    """One pair of axes; x runs from 0 to 1."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, offset: int, title: str, under: str, top: float
    ) -> None:
        self._draw = draw
        self._left = (offset + _LEFT) * _SCALE
        self._width = (_PANEL[0] - _LEFT - _RIGHT) * _SCALE
        self._floor = (_PANEL[1] - _BOTTOM) * _SCALE
        self._height = (_PANEL[1] - _TOP - _BOTTOM) * _SCALE
        self._top = top
        self._text((self._left, 14 * _SCALE), title, 16, _INK, "lt")
        for i in range(6):
            x, y = self._at(i / 5, top * i / 5)
            self._draw.line((self._left, y, self._left + self._width, y), _PALE, _SCALE)
            label = f"{top * i / 5:.1f}" if top == 1 else f"{top * i / 5:.0f}"
            self._text((self._left - 8 * _SCALE, y), label, 12, _GREY, "rm")
            self._text((x, self._floor + 8 * _SCALE), f"{i / 5:.1f}", 12, _GREY, "mt")
        middle = self._left + self._width / 2
        self._text((middle, self._floor + 27 * _SCALE), under, 12, _GREY, "mt")

    def bar(self, start: float, end: float, value: float) -> None:
        x0, y = self._at(start, value)
        x1, _ = self._at(end, 0)
        if value:
            self._draw.rectangle((x0 + _SCALE, y, x1 - _SCALE, self._floor), _BLUE)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: int) -> None:
        places = [self._at(x, y) for x, y in points]
        self._draw.line(places, colour, width * _SCALE, "curve")
        for x, y in places:
            dot = (width / 2 + 2) * _SCALE
            self._draw.ellipse((x - dot, y - dot, x + dot, y + dot), colour)

    def word(self, text: str, x: float, y: float, colour: str) -> None:
        self._text(self._at(x, y * self._top), text, 14, colour, "lm")

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._left + x * self._width, self._floor - y / self._top * self._height

    def _text(
        self, at: tuple[float, float], text: str, size: int, colour: str, anchor: str
    ) -> None:
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text(at, text, colour, font, anchor)
