"""Ask the service and stream its answer. No Streamlit in here."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, cast

import httpx2
import openai

from app.client.images import ImageError, Prepared, prepare
from app.model.profiles import SERVED_NAME

CONNECT_SECONDS = 10
IDLE_SECONDS = 60
"""Between two bytes of an answer; the server sends something at least every 15 s."""
MAX_TOKENS = 512

Message = dict[str, Any]


class ChatError(Exception):
    """No answer, or not all of it. The message says why and what to do."""


def question(text: str, picture: Prepared | None = None) -> Message:
    """A user's message."""
    content: list[Message] = [{"type": "text", "text": text}]
    if picture is not None:
        content.insert(0, {"type": "image_url", "image_url": {"url": picture.data_url}})
    return {"role": "user", "content": content}


def stream(messages: Sequence[Message], *, base_url: str, api_key: str) -> Generator[str]:
    """The answer, piece by piece.

    Raises:
        ChatError: told in words for each way it can fail.
    """
    client = openai.OpenAI(
        base_url=base_url,
        api_key=api_key,
        timeout=openai.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS),
        max_retries=0,  # a question may have been answered in part
    )
    try:
        # Closed with this generator: who stops reading stops the GPU.
        with (
            client,
            client.chat.completions.create(
                model=SERVED_NAME,
                messages=cast("list[Any]", messages),
                max_tokens=MAX_TOKENS,
                stream=True,
            ) as answer,
        ):
            for chunk in answer:
                if chunk.choices and (piece := chunk.choices[0].delta.content):
                    yield piece
    except openai.APIStatusError as error:
        raise ChatError(_in_words(error)) from None
    except openai.APITimeoutError:
        raise ChatError(
            f"Nothing came for {IDLE_SECONDS} s. The server may be overloaded; try again."
        ) from None
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        raise ChatError(
            f"The connection to {base_url} failed ({cause}). Is the service up? `hub status` "
            "shows every hop."
        ) from None
    except openai.APIError as error:
        raise ChatError(f"The answer broke off: {error}") from None


def ask_stream(text: str, *, image: Path | None, base_url: str, api_key: str) -> Generator[str]:
    """One question, with a picture if there is one.

    Raises:
        ChatError: see :func:`stream`; also when the picture cannot be read.
    """
    try:
        picture = prepare(image) if image is not None else None
    except ImageError as error:
        raise ChatError(str(error)) from None
    yield from stream([question(text, picture)], base_url=base_url, api_key=api_key)


def _in_words(error: openai.APIStatusError) -> str:
    match error.status_code:
        case 401:
            return "The API key is not valid here, or it was revoked. `hub status` shows the door."
        case 413:
            return "The request is larger than the gateway takes. Send a smaller picture."
        case 429:
            return (
                "Too many requests with this key at once or in this minute. Wait, then ask again."
            )
        case 502 | 503 | 504:
            after = error.response.headers.get("retry-after")
            wait = f" Try again in {after} s." if after else " Try again later."
            return f"The server at home does not answer: it is off, asleep or starting.{wait}"
        case status:
            return f"The service refused the question ({status}): {error.message}"
