"""Whether the engine still computes; run inside vLLM's container, by its liveness probe.

vLLM's `/health` says that its processes live, not that the GPU answers: after a suspend, a driver
that was replaced, or a fault it goes on saying 200 (vllm-project/vllm#36960). So this lets the
model write one token. An engine that is only busy is alive: its counters of tokens grow, and then
nothing is asked of it, or no answer is waited for.

Ends with 0 if the engine is alive, and 1 if it stands still. Standard library only.
"""

from __future__ import annotations

import json
import re
import sys
import time
from http.client import HTTPConnection, HTTPException

ANSWER_SECONDS = 10
"""For what needs no GPU."""
TOKEN_SECONDS = 30
"""For one token, behind whatever is being computed."""
LOOK_AGAIN_SECONDS = 2
LONGEST_SECONDS = 2 * ANSWER_SECONDS + LOOK_AGAIN_SECONDS + TOKEN_SECONDS
"""The probe's time-out is more than this, so that what is printed tells why it failed."""
COUNTER = re.compile(r"^vllm:(?:prompt|generation)_tokens_total\{.*\} (\S+)$", re.MULTILINE)
RUNNING = re.compile(r"^vllm:num_requests_(?:running|waiting)\{.*\} (\S+)$", re.MULTILINE)


def is_alive(port: int, model: str) -> bool:
    """Ask the server on this port of this machine.

    Raises:
        OSError: it does not answer what needs no GPU.
        HTTPException: it answers with something else than HTTP.
    """
    before, busy = _progress(port)
    if busy:
        time.sleep(LOOK_AGAIN_SECONDS)
        if _progress(port)[0] != before:
            return True
    try:
        return _writes_a_token(port, model)
    except TimeoutError:
        return _progress(port)[0] != before


def _progress(port: int) -> tuple[float, bool]:
    """Tokens read and written since the start, and whether there is something to do."""
    status, metrics = _ask(port, "GET", "/metrics", "", ANSWER_SECONDS)
    if status != 200:
        raise HTTPException(f"/metrics answers {status}")
    tokens = sum(float(count) for count in COUNTER.findall(metrics))
    return tokens, any(float(count) for count in RUNNING.findall(metrics))


def _writes_a_token(port: int, model: str) -> bool:
    question = {"model": model, "prompt": "1", "max_tokens": 1, "temperature": 0}
    status, answer = _ask(port, "POST", "/v1/completions", json.dumps(question), TOKEN_SECONDS)
    if status >= 500:
        print(f"/v1/completions answers {status}: {answer[:200]}")  # noqa: T201
    # A refusal before the engine says nothing of it, and a restart would not change it.
    return status < 500


def _ask(port: int, method: str, path: str, body: str, seconds: float) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def main(port: str, model: str) -> int:
    try:
        alive = is_alive(int(port), model)
    except (OSError, HTTPException) as error:
        print(f"the server does not answer: {error!r}")  # noqa: T201
        return 1
    if not alive:
        print("no token was written, and none is being computed")  # noqa: T201
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
