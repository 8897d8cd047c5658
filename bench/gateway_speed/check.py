"""Whether a gateway answers as it must before it is measured; run in its network namespace.

`python -m bench.gateway_speed.check URL KEY KEY_ID`; without a KEY_ID it need not check keys. Fails
with a sentence that says what is wrong.
"""

from __future__ import annotations

import sys
import time

import httpx2

from bench.gateway_speed.bodies import CHUNKS, body
from bench.gateway_speed.results import BODY_KB, Point

START_SECONDS = 30
"""The tunnel carries nothing at first; all programs have started."""


def ask(http: httpx2.Client, url: str, key: str, point: Point) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return http.post(url, content=body(point), headers=headers)


def wait(http: httpx2.Client, url: str, key: str) -> None:
    """Return when it answers 200.

    Raises:
        SystemExit: it does not in half a minute.
    """
    deadline, last = time.monotonic() + START_SECONDS, "nothing"
    while time.monotonic() < deadline:
        try:
            response = ask(http, url, key, Point(1, 1))
            if response.status_code == 200:
                return
            last = f"{response.status_code}: {response.text[:300]}"
        except httpx2.HTTPError as error:
            last = repr(error)
        time.sleep(0.2)
    sys.exit(f"{url} does not answer 200 in {START_SECONDS} s; the last answer was {last}")


def check(http: httpx2.Client, url: str, key: str, key_id: str | None) -> None:
    for size in BODY_KB:
        whole = ask(http, url, key, Point(size, 1))
        if whole.json()["choices"][0]["message"]["content"] != "A red square.":
            sys.exit(f"{url} changes the answer to {size} kB: {whole.text[:300]}")
        streamed = ask(http, url, key, Point(size, 1, streamed=True))
        if "data: [DONE]" not in streamed.text or streamed.text.count('"content"') < CHUNKS:
            sys.exit(f"{url} changes the streamed answer to {size} kB: {streamed.text[:300]}")
        seen = [v for name, v in whole.headers.items() if name.endswith("x-seen-key-id")]
        if key_id and seen != [key_id]:
            sys.exit(f"{url} sends the key's name to the upstream as {seen}, not [{key_id!r}]")
    stranger = ask(http, url, f"{key}x", Point(1, 1))
    if key_id and stranger.status_code < 400:
        sys.exit(f"{url} answers a wrong key with {stranger.status_code}")


def main() -> None:
    url, key, *key_id = sys.argv[1:]
    with httpx2.Client(timeout=30, trust_env=False) as http:
        wait(http, url, key)
        check(http, url, key, key_id[0] if key_id else None)


if __name__ == "__main__":
    main()
