"""What is asked: chat requests of an exact size, the large one with a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.gateway_speed.results import Point

CHUNKS = 20
"""Of a streamed answer."""
QUESTION = "What is in this picture?"


def body(point: Point) -> bytes:
    """A request of exactly ``point.body_kb`` times 1,000 bytes."""
    size = point.body_kb * 1000
    return _with_filler(point, "A" * (size - len(_with_filler(point, ""))))


def file_with(point: Point, folder: Path) -> Path:
    """The request in a file, written once in a run."""
    file = folder / f"{point.body_kb}-{point.streamed}.json"
    if not file.exists():
        file.write_bytes(body(point))
    return file


def _with_filler(point: Point, filler: str) -> bytes:
    content: Any = f"{QUESTION}{filler}"
    if point.body_kb > 1:
        url = f"data:image/png;base64,{filler}"
        text = {"type": "text", "text": QUESTION}
        content = [{"type": "image_url", "image_url": {"url": url}}, text]
    request: dict[str, Any] = {
        "model": "vlm",
        "max_tokens": CHUNKS,
        "messages": [{"role": "user", "content": content}],
    }
    if point.streamed:
        request["stream"] = True
    return json.dumps(request).encode()
