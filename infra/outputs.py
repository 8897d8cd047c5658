"""Outputs that are more than a value handed through."""

from __future__ import annotations

import json
import shlex

from app.model.profiles import SERVED_NAME


def curl_line(url: str) -> str:
    """A question to paste into a shell that has a key in ``OPENAI_API_KEY``.

    The key itself is not in it: a shell keeps what is pasted in its history.
    """
    question = {
        "model": SERVED_NAME,
        "stream": True,
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    return " ".join(
        [
            f"curl -N {url}/v1/chat/completions",
            '-H "Authorization: Bearer $OPENAI_API_KEY"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(question))}",
        ]
    )
