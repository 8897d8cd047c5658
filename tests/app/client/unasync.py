"""The client for one thread, made of the one for an event loop.

``python -m tests.app.client.unasync`` writes it; a test compares.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[3] / "app" / "client"
SOURCE, TARGET = HERE / "asynchronous.py", HERE / "chat.py"
HEADER = """Ask the service, one thread's way: answers as generators.

Made of :mod:`.asynchronous`: edit that, then run ``python -m tests.app.client.unasync``.
"""
WORDS = (
    (r"AsyncOpenAI", "OpenAI"),
    (r"DefaultAsyncHttpxClient", "DefaultHttpxClient"),
    (r"AsyncGenerator", "Generator"),
    (r"AsyncStream", "Stream"),
    (r"AsyncClient", "Client"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"Awaitable\[(\w+)\]", r"\1"),
    (r", Awaitable\b", ""),
    (r"\bAwaitable, ", ""),
    (r"await asyncio\.to_thread\(\s*(\w+),\s*", r"\1("),
    (r"asyncio\.sleep", "time.sleep"),
    (r"^import asyncio$", "import time"),
    (r"\bawait ", ""),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\[piece for piece in (.+)\]", r"\1"),
    (
        r"for any number of tasks of one loop\.",
        "used by one thread at a time, closed as a context manager.",
    ),
)


def one_threaded(source: str) -> str:
    """The other file's text, formatted."""
    _, _, rest = source.partition('"""\n\nfrom __future__')
    text = f'"""{HEADER}"""\n\nfrom __future__{rest}'
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    for command in (["check", "--fix-only", "--quiet"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(TARGET), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    TARGET.write_text(one_threaded(SOURCE.read_text()))
