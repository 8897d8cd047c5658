"""Entry point of the web client; the API key stays on this side of the browser."""

from __future__ import annotations

import os

from app.client import chat
from app.client.page import render

render(
    lambda messages: chat.stream(
        messages,
        base_url=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
    )
)
