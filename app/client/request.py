"""What is asked: a conversation, its options, and the arguments they become."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.client.images import Prepared

Message = dict[str, Any]
"""One message of a conversation, in the OpenAI API's form."""
Asked = dict[str, Any]
"""The OpenAI SDK's arguments for one question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to answer."""

    model: str | None = None
    """``None`` for the one that the connection names or the service serves."""
    temperature: float = 0.0
    max_tokens: int = 512
    system_prompt: str | None = None
    schema: Mapping[str, Any] | None = None
    """A JSON schema that the answer is held to while it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for what, seconds."""

    connect: float = 10
    first_byte: float = 120
    """Of a response, from the end of the request; the model may be busy with others."""
    between_bytes: float = 60
    """The server writes at least every 15 s, also while it thinks."""
    patience: float = 20
    """Altogether, for trying again what was refused before it began; 0 is never."""


def question(text: str, *pictures: Prepared) -> Message:
    """A user's message; the pictures come first, as the models were trained."""
    images = [{"type": "image_url", "image_url": {"url": p.data_url}} for p in pictures]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def arguments(messages: Sequence[Message], options: Options, model: str) -> Asked:
    """For the OpenAI SDK's ``chat.completions.create``."""
    system = [{"role": "system", "content": options.system_prompt}] if options.system_prompt else []
    asked: Asked = {
        "model": model,
        "messages": [*system, *messages],
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.schema is not None:
        asked["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": dict(options.schema)},
        }
    return asked


def body_bytes(asked: Mapping[str, Any]) -> int:
    """Size of the request's body, as the SDK will write it."""
    return len(json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode())
