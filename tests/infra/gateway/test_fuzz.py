"""Generated requests: whatever comes, the gateway answers or closes, and does not grow.

Chosen by a seeded ``Random``, not by Hypothesis: most of them have to be nearly right, or the
server refuses them before the gateway's rules and the next hop see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from tests.infra.gateway.conftest import Gateway
from tests.infra.gateway.invariants import check_received
from tests.support.gateway import API_KEYS
from tests.support.raw_http import answers_until_closed
from tests.support.waiting import until

REQUESTS = 1200
WARM_UP = 200
"""Requests until Caddy has its buffers and connections to the next hop."""
MAX_GROWTH_MB = 25
KEPT_DESCRIPTORS = 16
"""Of idle connections to the next hop, which are closed after two minutes."""
ANSWERS = {200, 400, 401, 404, 413, 417, 431}
GONE = 499
"""What Caddy writes to a client that has gone before it sent its whole body."""
OF_GOS_SERVER = {501, 505}
"""An unknown transfer coding and an unknown version, as RFC 9110 and 9112 want them."""

KEY = f"Bearer {API_KEYS['laptop']}"
METHODS = ["POST"] * 6 + ["GET"] * 4 + ["HEAD", "PUT", "OPTIONS", "CONNECT", "PRI"]
TARGETS = [
    *["/v1/chat/completions"] * 8,
    *("/v1/responses", "/v1/models", "/v1/models/vlm", "/health", "/tokenize", "*", "//"),
]
SUFFIXES = [""] * 16 + ["?", "?a=b", "/", "/..", "%2f", "%00", ";", "#", "?\xff", "?{env.HOME}"]
VERSIONS = ["HTTP/1.1"] * 16 + ["HTTP/1.0", "HTTP/2.0", "http/1.1", ""]
NAMES = [
    *("Host", "Authorization", "Connection", "Upgrade", "Expect", "Trailer", "TE", "Origin"),
    *("X-Hub-Key-Id", "X-Forwarded-For", "Via", "Proxy-Connection", "X-HTTP-Method-Override"),
    *("Content-Type", "Content-Encoding", "Accept-Encoding", "Range", "If-Match", "Date"),
]
VALUES = [
    *("", "0", "gzip", "100-continue", "close", "keep-alive, X-Hub-Key-Id", "Upgrade", "h2c"),
    *("websocket", "robot", "x", "{env.HOME}", "Bearer x", "bytes=0-", "*", "\r\n folded", "a\0b"),
]
MORE_HEADERS = [
    *[[]] * 40,
    *([f"X{i}: y" for i in range(440)], ["a:"] * 4500, ["a:"] * 6000),
    *([f"Cookie: {'x' * length}"] for length in (16_500, 19_000, 20_300)),
]
FRAMED_BODIES = [
    *[("Content-Length: 2", "{}")] * 6,
    *[("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n")] * 3,
    ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\nX-Hub-Key-Id: robot\r\n\r\n"),
    ("Transfer-Encoding: chunked", "zz\r\n"),
    ("Transfer-Encoding: chunked", "2\r\n{}xx"),
    ("Transfer-Encoding: chunked", "2\r\n"),
    ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    ("Content-Length: 4\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
    ("Content-Length: 2", "{}GET /tokenize HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("Content-Length: 2\r\nContent-Length: 3", "{}"),
    ("Content-Length: 99", "{}"),
    ("Content-Length: 99999999999", "{}"),
    ("Content-Length: -1", "{}"),
    ("X: y", ""),
]


def request(random: Random) -> bytes:
    """Mostly right; now and then with bytes that are changed."""
    framing, body = random.choice(FRAMED_BODIES)
    target = random.choice(TARGETS) + random.choice(SUFFIXES)
    lines = [
        f"{random.choice(METHODS)} {target} {random.choice(VERSIONS)}",
        *often(random, "Host: x"),
        *often(random, f"Authorization: {KEY}"),
        *(
            f"{random.choice(NAMES)}: {random.choice(VALUES)}"
            for _ in range(random.choice((0, 0, 1, 2)))
        ),
        *random.choice(MORE_HEADERS),
        framing,
    ]
    end = random.choice(["\r\n"] * 15 + ["\n"])
    sent = bytearray(f"{end.join(lines)}{end}{end}{body}".encode("latin-1"))
    for _ in range(random.choice([0] * 8 + [1, 3])):
        sent[random.randrange(len(sent))] = random.randrange(256)
    return bytes(sent)


def often(random: Random, line: str) -> Sequence[str]:
    return [line] if random.random() < 0.95 else []


def test_every_request_is_answered_or_its_connection_closed(gateway: Gateway) -> None:
    random = Random(20_261)  # noqa: S311  # the same requests in each run
    caddy, statuses = gateway.process(), Counter[int]()
    memory = descriptors = 0
    names: list[str] = []
    for number in range(REQUESTS):
        if number == WARM_UP:
            memory, descriptors = caddy.memory_info().rss, caddy.num_fds()
        sent = request(random)
        gateway.received.clear()
        answers = answers_until_closed(gateway.port, sent)
        assert set(answers) <= {*ANSWERS, *OF_GOS_SERVER, GONE}, sent
        check_received(gateway.received, {"laptop", ""})
        statuses.update(answers)
        names += [name for one in gateway.received for name in one.values("X-Request-Id")]
    # The requests are of all kinds, or they would try nothing.
    assert set(statuses) >= {200, 400, 401, 404, 417, 501, 505}, statuses
    assert len(names) >= REQUESTS / 12
    assert len(names) == len(set(names)), "something was sent home twice"
    until(lambda: caddy.num_fds() <= descriptors + KEPT_DESCRIPTORS, shown=caddy.num_fds)
    assert (caddy.memory_info().rss - memory) / 1e6 <= MAX_GROWTH_MB
