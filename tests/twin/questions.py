"""What the twin is asked, and by whom."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageDraw

from app.model.drawn import COLOURS
from tests.twin.conftest import HubUnderTest


def chat(content: Any, **more: Any) -> dict[str, Any]:
    return {
        "model": "vlm",
        "max_tokens": 12,
        "temperature": 0,
        "messages": [{"role": "user", "content": content}],
        **more,
    }


def picture(width: int, height: int, colour: str = "teal") -> dict[str, Any]:
    return attached(Image.new("RGB", (width, height), colour))


def attached(image: Image.Image) -> dict[str, Any]:
    file = io.BytesIO()
    image.save(file, "PNG")
    return at(as_data(file.getvalue()))


def as_data(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def at(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def by_url(url: str) -> dict[str, Any]:
    """A question about the picture there, and nothing else."""
    return chat([at(url)])


def first_key(hub: HubUnderTest) -> str:
    return next(iter(hub.api_keys().values()))


def red_square_and_blue_circle() -> Image.Image:
    image = Image.new("RGB", (1600, 1200), "lightgrey")
    ImageDraw.Draw(image).rectangle((200, 300, 600, 700), fill=COLOURS["red"])
    ImageDraw.Draw(image).ellipse((1000, 500, 1400, 900), fill=COLOURS["blue"])
    return image
