"""Boxes and points over a picture: plain HTML without a script, read aloud, reached by keyboard.

No SVG: Streamlit takes it out of what it is given as HTML.
"""

from __future__ import annotations

import base64
import html
import io

from PIL import Image

from app.client.grounding.draw import PALETTE, Colour, writing_on
from app.client.grounding.found import Box, Detection, Point
from app.client.images import upright
from app.model.image_tokens import Size

PREVIEW = 1024
"""Longest side of what the browser is sent; places are drawn in the original's pixels."""


def preview(picture: bytes) -> bytes:
    """JPEG, upright, no larger than a screen needs."""
    image = upright(picture)
    image.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=82)
    return file.getvalue()


def picture(shown: bytes, width: int | None = None) -> str:
    """A JPEG, no wider than ``width`` pixels or else than its place. With the page itself and not
    as a file beside it, which Streamlit may have put away before a slow browser asks for it."""
    style = f' style="width:{width}px"' if width is not None else ""
    return f'<img class="hub-picture" src="{_data_url(shown)}" alt=""{style}>'


def marked(shown: bytes, found: Detection, title: str) -> str:
    """``shown`` is a JPEG of the whole picture in any size."""
    labels = dict.fromkeys(mark.label for mark in (*found.boxes, *found.points))
    colours = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}
    marks = "".join(
        _mark(mark, colours[mark.label], found.picture) for mark in (*found.boxes, *found.points)
    )
    return (
        f'<div class="hub-overlay" role="group" aria-label="{html.escape(title)}">'
        f'<img src="{_data_url(shown)}" alt="">{marks}</div>'
    )


def place(mark: Box | Point) -> str:
    """Rounded to whole pixels."""
    return ", ".join(
        f"{number:.0f}" for number in (mark.xyxy if isinstance(mark, Box) else mark.xy)
    )


def _data_url(shown: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(shown).decode()}"


def _mark(mark: Box | Point, colour: Colour, picture: Size) -> str:
    """Placed in hundredths of the picture's sides, so that it scales with the window."""
    kind = "box" if isinstance(mark, Box) else "point"
    left, top, right, bottom = mark.xyxy if isinstance(mark, Box) else (*mark.xy, *mark.xy)
    told = html.escape(f"{mark.label} ({place(mark)})")
    style = (
        f"left:{left / picture.width:.3%};top:{top / picture.height:.3%};"
        f"width:{(right - left) / picture.width:.3%};"
        f"height:{(bottom - top) / picture.height:.3%};color:{_css(colour)}"
    )
    label = (
        f'<span style="background:{_css(colour)};color:{_css(writing_on(colour))}">'
        f"{html.escape(mark.label)}</span>"
    )
    return (
        f'<div class="hub-mark hub-{kind}" style="{style}" tabindex="0" role="img" '
        f'aria-label="{told}" title="{told}">{label}</div>'
    )


def _css(colour: Colour) -> str:
    return "#" + bytes(colour).hex()
