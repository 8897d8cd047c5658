"""What the service is asked, in growing order."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from app.model.profiles import SERVED_NAME
from doctor.hops import Hop

START_SECONDS = 20
"""A gateway that was scaled to zero starts, and holds the request until home has answered."""
ANSWER_SECONDS = 10
LARGE_SECONDS = 15
SIZES_KB = (1, 2, 64, 1000, 8000)
"""And the largest that is allowed. The first two lie on either side of one packet."""
NO_SUCH_MODEL = "doctor"
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request, and what it is asked for."""

    asked: str
    hop: Hop
    seconds: float
    """For all of it, from the connection to the answer's end."""
    path: str = CHAT
    body: bytes | None = None
    key: bool = True


HEALTH = Question(
    asked="GET /health", hop="gateway", path="/health", seconds=START_SECONDS, key=False
)
MODELS = Question(
    asked="GET /v1/models with the key", hop="api key", path="/v1/models", seconds=ANSWER_SECONDS
)


def chat(asked: str, content: Any) -> Question:
    question = {
        "model": SERVED_NAME,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": content}],
    }
    body = json.dumps(question).encode()
    return Question(asked=asked, hop="model", body=body, seconds=ANSWER_SECONDS)


def picture() -> Mapping[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def padded(kb: int) -> Question:
    """For a model that there is none of: vLLM reads all of it, and does no work for it."""
    asked = f"a request of {kb} kB" if kb < 1000 else f"a request of {kb // 1000} MB"
    head = f'{{"model": "{NO_SUCH_MODEL}", "messages": [], "padding": "'.encode()
    body = head + b"x" * (kb * 1000 - len(head) - 2) + b'"}'
    return Question(asked=asked, hop="large requests", body=body, seconds=LARGE_SECONDS)
