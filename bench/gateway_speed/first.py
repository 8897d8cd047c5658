"""Asks until answers are good, each time on a new connection; run in the gateway's namespace.

`python -m bench.gateway_speed.first PORT KEY FILE COUNT` prints, as JSON, when each good answer's
question was sent and when the answer had come, on the machine's monotonic clock. It may be started
before the gateway is.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 60


def ask(port: int, question: bytes) -> tuple[float, float] | None:
    """The moments of question and answer; nothing where the answer is none, or not 200."""
    begun = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
            connection.sendall(question)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:
        return None
    return (begun, time.monotonic()) if answer.startswith(b"HTTP/1.1 200 ") else None


def request(key: str, body: bytes) -> bytes:
    head = (
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json",
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n",
    )
    return "\r\n".join(head).encode() + body


def main() -> None:
    _, port, key, file, count = sys.argv
    question = request(key, Path(file).read_bytes())
    deadline, answered = time.monotonic() + PATIENCE_SECONDS, list[tuple[float, float]]()
    while len(answered) < int(count):
        if moments := ask(int(port), question):
            answered.append(moments)
        elif time.monotonic() > deadline:
            sys.exit(f"no good answer in {PATIENCE_SECONDS} s")
        else:
            time.sleep(PAUSE_SECONDS)
    print(json.dumps(answered))


if __name__ == "__main__":
    main()
