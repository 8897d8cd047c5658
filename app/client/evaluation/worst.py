"""The worst answers, chosen and shown: true boxes green, answered ones red."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from app.client.evaluation.results import Result
from app.client.evaluation.scores import Score

MOST = 12

_COLUMNS = 4
_TILE = (480, 360)
_CAPTION = 34
_GREEN, _RED = "#16a34a", "#dc2626"


def worst(answered: Sequence[Result], scores: Sequence[Score]) -> list[tuple[Result, Score]]:
    """Those whose boxes overlap least with the true ones, the worst first; none that is right."""
    pairs = [(_quality(found), i) for i, found in enumerate(scores)]
    return [(answered[i], scores[i]) for quality, i in sorted(pairs)[:MOST] if quality < 1]


def _quality(score: Score) -> float:
    """1 where each true box is answered exactly and no other is."""
    return sum(score.truth) / max(len(score.truth), len(score.answered))


def sheet(results: Sequence[Result], picture: Callable[[str], Image.Image]) -> Image.Image:
    """One picture of all, in the order given."""
    rows = -(-len(results) // _COLUMNS)
    width, height = _TILE
    whole = Image.new("RGB", (_COLUMNS * width, rows * (height + _CAPTION)), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(18)
    for i, result in enumerate(results):
        x, y = i % _COLUMNS * width, i // _COLUMNS * (height + _CAPTION)
        draw.text((x + 8, y + 8), f"{i + 1}. {result.question.what}"[:48], "black", font)
        original = picture(result.question.picture)
        tile = ImageOps.contain(original, (width - 8, height - 8))
        scale = tile.width / original.width
        outlines = ImageDraw.Draw(tile)
        for boxes, colour in ((result.question.boxes, _GREEN), (result.boxes, _RED)):
            for box in boxes:
                outlines.rectangle([side * scale for side in box], outline=colour, width=3)
        whole.paste(tile, (x + 4, y + _CAPTION))
    return whole
