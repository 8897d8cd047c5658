"""Outputs that are more than a value handed through."""

from __future__ import annotations

import json
import shlex
from typing import Any

from app.model.profiles import SERVED_NAME


def curl_line(url_and_keys: list[Any]) -> str:
    """A question to paste into a shell, with the first key in it."""
    url, keys = url_and_keys
    question = {
        "model": SERVED_NAME,
        "stream": True,
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    return " ".join(
        [
            f"curl -N {url}/v1/chat/completions",
            f"-H {shlex.quote('Authorization: Bearer ' + next(iter(keys.values())))}",
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(question))}",
        ]
    )
