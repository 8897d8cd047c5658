"""The table of attacks: each request as bytes, with the answer that comes back.

``test_attacks.py`` sends them to a real Caddy on loopback.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.gateway import API_KEYS

CHAT = "/v1/chat/completions"
KEY = f"Authorization: Bearer {API_KEYS['laptop']}"
MODELS_ASKED = ("GET /v1/models",)
CHAT_ASKED = (f"POST {CHAT}",)


@dataclass(frozen=True)
class Attack:
    sent: str
    """Each character is a byte."""
    answers: tuple[int, ...]
    home: tuple[str, ...] = ()
    """What home receives."""
    in_step: bool = True
    """Whether the gateway keeps the connection and takes what follows for a new request."""


def closed(sent: str, *answers: int) -> Attack:
    return Attack(sent, answers, in_step=False)


def ask(target: str = "/v1/models", *lines: str, method: str = "GET", body: str = "") -> str:
    head = (f"{method} {target} HTTP/1.1", "Host: x", KEY, *lines)
    return "\r\n".join(head) + f"\r\n\r\n{body}"


def post(*lines: str, body: str = "") -> str:
    return ask(CHAT, *lines, method="POST", body=body)


def chunked(body: str, *lines: str) -> str:
    return post("Transfer-Encoding: chunked", *lines, body=body)


def host(*lines: str) -> str:
    return "\r\n".join(("GET /v1/models HTTP/1.1", *lines, KEY)) + "\r\n\r\n"


def authorization(*lines: str) -> str:
    return "\r\n".join(("GET /v1/models HTTP/1.1", "Host: x", *lines)) + "\r\n\r\n"


HOSTS = {
    "none": closed(host(), 400),
    "two": closed(host("Host: x", "Host: y"), 400),
    "two of the same": closed(host("Host: x", "Host: x"), 400),
    "empty": Attack(host("Host:"), (400,)),
    "a space": closed(host("Host: a b"), 400),
    # The form of CVE-2026-48746, by which vLLM's own check of keys was passed.
    "a path": closed(host("Host: x/health?"), 400),
    "a query": closed(host("Host: home?x"), 400),
    "a fragment": closed(host("Host: x#y"), 400),
    "a user": closed(host("Host: x@home"), 400),
    "a backslash": closed(host("Host: x\\y"), 400),
    "a tab": closed(host("Host: x\ty"), 400),
    "a NUL": closed(host("Host: x\0y"), 400),
    "a placeholder": closed(host("Host: {env.UPSTREAM_AUTHORIZATION}"), 400),
    "another's name": Attack(host("Host: metadata.google.internal"), (200,), MODELS_ASKED),
    "half an address": Attack(host("Host: [::1"), (200,), MODELS_ASKED),
    "a port that is none": Attack(host("Host: x:99999"), (200,), MODELS_ASKED),
}

TARGETS = {
    # RFC 9112, 3.2.2: a server must take the absolute form. Home gets the path only.
    "absolute form": Attack(ask("http://evil/v1/models"), (200,), MODELS_ASKED),
    "absolute form of another scheme": Attack(ask("gopher:/v1/models"), (200,), MODELS_ASKED),
    "absolute form with a user": Attack(ask("http://u:p@evil/v1/models"), (200,), MODELS_ASKED),
    "absolute form of an unlisted route": Attack(ask("http://evil/tokenize"), (404,)),
    "absolute form without a path": Attack(ask("http://evil"), (404,)),
    "opaque form": Attack(ask("foo:v1/models"), (404,)),
    "authority form": Attack(ask("home:80", method="CONNECT"), (404,)),
    "authority form with GET": Attack(ask("home:80"), (404,)),
    "asterisk form with GET": Attack(ask("*"), (404,)),
    # Go's server answers this one itself: 200 without a body.
    "asterisk form": Attack(ask("*", method="OPTIONS"), (200,)),
    "network path": Attack(ask("//evil/v1/models"), (404,)),
    "dots": Attack(ask("/v1/chat/../models"), (404,)),
    "dots to an unlisted route": Attack(ask("/health/../tokenize"), (404,)),
    "encoded dots": Attack(ask("/health/%2e%2e/tokenize"), (404,)),
    "dots after a semicolon": Attack(ask("/health/..;/tokenize"), (404,)),
    "backslashes": Attack(ask("/health\\..\\tokenize"), (404,)),
    "upper case": Attack(ask("/V1/models"), (404,)),
    "an encoded slash": Attack(ask("/v1%2fmodels"), (404,)),
    "an encoded letter": Attack(ask("/%68ealth"), (404,)),
    "encoded twice": Attack(ask("/v1%252fmodels"), (404,)),
    "overlong UTF-8": Attack(ask("/v1%c0%afmodels"), (404,)),
    "a NUL, encoded": Attack(ask("/v1/models%00"), (404,)),
    "a line, encoded": Attack(ask("/v1/models%0d%0aX-Hub-Key-Id:%20robot"), (404,)),
    "a line, encoded, in the query": Attack(
        ask("/v1/models?%0d%0aX-Hub-Key-Id:%20robot"),
        (200,),
        ("GET /v1/models?%0d%0aX-Hub-Key-Id:%20robot",),
    ),
    "a fragment": Attack(ask("/health#/tokenize"), (404,)),
    "another route in the query": Attack(
        ask("/health?/../tokenize"), (200,), ("GET /health?/../tokenize",)
    ),
    "bytes that are no UTF-8": Attack(ask("/\xff"), (404,)),
    "bytes that are no UTF-8 in the query": Attack(
        ask("/v1/models?\xff"), (200,), ("GET /v1/models?\xff",)
    ),
    "a placeholder": Attack(ask("/{env.UPSTREAM_AUTHORIZATION}"), (404,)),
    "a placeholder in the query": Attack(
        ask("/v1/models?{env.UPSTREAM_AUTHORIZATION}"),
        (200,),
        ("GET /v1/models?{env.UPSTREAM_AUTHORIZATION}",),
    ),
    "a model's name that closes the JSON": Attack(ask('/v1/models/vlm"}'), (404,)),
    "an escape that is none": closed(ask("/v1/models%zz"), 400),
    "a space": closed(ask("/v1/models x"), 400),
    "empty": closed(ask(""), 400),
}

METHODS = {
    "lower case": Attack(ask(method="get"), (404,)),
    "TRACE": Attack(ask(method="TRACE"), (404,)),
    "WebDAV": Attack(ask(method="PROPFIND"), (404,)),
    "PURGE": Attack(ask(method="PURGE"), (404,)),
    "with a tab": closed(ask(method="GET\t"), 400),
    "two words": closed(ask(method="GET GET"), 400),
    "none": closed(ask(method=""), 400),
    "no letters": closed(ask(method="{method}"), 400),
    "overridden on a route that is GET": Attack(
        ask("/v1/models", "X-HTTP-Method-Override: DELETE"), (200,), MODELS_ASKED
    ),
    "overridden to make a route POST": Attack(
        ask(CHAT, "X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST"),
        (404,),
    ),
    "overridden by the query": Attack(ask(f"{CHAT}?_method=POST"), (404,)),
}

AUTHORIZATIONS = {
    "folded": Attack(  # RFC 9112, 5.2: a fold is a space, or 400
        authorization(f"Authorization: Bearer\r\n {API_KEYS['laptop']}"), (200,), MODELS_ASKED
    ),
    "a space before the colon": closed(authorization(KEY.replace(":", " :")), 400),
    "a tab after the scheme": Attack(
        authorization(f"Authorization: Bearer\t{API_KEYS['laptop']}"), (401,)
    ),
    "two": Attack(authorization(KEY, KEY), (401,)),
    "two, one of them empty": Attack(authorization(KEY, "Authorization:"), (401,)),
    "two in one": Attack(authorization(f"{KEY}, {KEY[15:]}"), (401,)),
    "a NUL": closed(authorization(f"{KEY}\0"), 400),
    "a pattern": Attack(authorization("Authorization: Bearer .*"), (401,)),
    "a placeholder": Attack(
        authorization("Authorization: Bearer {env.UPSTREAM_AUTHORIZATION}"), (401,)
    ),
    "the gateway's own key": Attack(authorization("Authorization: Basic upstream"), (401,)),
    "the name of a key": Attack(authorization("Authorization: Bearer laptop"), (401,)),
    "letters beyond ASCII": Attack(authorization(f"{KEY}\xe9"), (401,)),
    "for a proxy": Attack(authorization(f"Proxy-{KEY}"), (401,)),
    "in other headers": Attack(
        authorization(*(f"{name}: {API_KEYS['laptop']}" for name in ("X-Api-Key", "Api-Key"))),
        (401,),
    ),
    "in a cookie": Attack(authorization(f"Cookie: Authorization=Bearer {'a' * 43}"), (401,)),
    "the name of the key instead": Attack(authorization("X-Hub-Key-Id: laptop"), (401,)),
    "16 kB": Attack(authorization(f"Authorization: Bearer {'a' * 16_000}"), (401,)),
}

HEADS = {
    # What the public Caddy takes must be small enough for each hop behind it.
    "a cookie of 16 kB": Attack(ask("/v1/models", f"Cookie: {'x' * 16_500}"), (200,), MODELS_ASKED),
    "a cookie of 20 kB": Attack(ask("/v1/models", f"Cookie: {'x' * 20_000}"), (200,), MODELS_ASKED),
    "a cookie of 21 kB": closed(ask("/v1/models", f"Cookie: {'x' * 21_000}"), 431),
    "a stranger's cookie of 18 kB": Attack(
        f"GET /health HTTP/1.1\r\nHost: x\r\nCookie: {'x' * 18_000}\r\n\r\n",
        (200,),
        ("GET /health",),
    ),
    "a query of 18 kB": Attack(
        ask(f"/v1/models?{'x' * 18_000}"), (200,), (f"GET /v1/models?{'x' * 18_000}",)
    ),
    "a query of 40 kB": closed(ask(f"/v1/models?{'x' * 40_000}"), 431),
    "a question's cookie of 18 kB": Attack(
        post(f"Cookie: {'x' * 18_000}", "Content-Length: 2", body="{}"), (200,), CHAT_ASKED
    ),
    "440 headers": Attack(
        ask("/v1/models", *(f"X{i}: y" for i in range(440))), (200,), MODELS_ASKED
    ),
    "as many headers as fit": Attack(
        ask("/v1/models", *["a:"] * 6500).replace("\r\na:", "\na:"), (200,), MODELS_ASKED
    ),
    "20,000 headers": closed(ask("/v1/models", *(f"X-{i}: y" for i in range(20_000))), 431),
    "a key of 40 kB": closed(authorization(f"Authorization: Bearer {'a' * 40_000}"), 431),
    "a key of 2 MB": closed(authorization(f"Authorization: Bearer {'a' * 2_000_000}"), 431),
}

SMUGGLED = "GET /tokenize HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLING = {
    # What follows is judged as a request of its own, so nothing is smuggled.
    "CL.TE": Attack(
        post("Content-Length: 6", "Transfer-Encoding: chunked", body=f"0\r\n\r\n{SMUGGLED}"),
        (200, 404),
        CHAT_ASKED,
    ),
    "TE.CL": Attack(
        post(
            "Transfer-Encoding: chunked",
            "Content-Length: 4",
            body=f"2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}",
        ),
        (200, 404),
        CHAT_ASKED,
    ),
    "TE.TE": closed(
        post("Transfer-Encoding: chunked", "Transfer-Encoding: x", body="0\r\n\r\n"), 501
    ),
    # RFC 9112, 6.1: a transfer coding that the server does not know is 501.
    "an unknown coding": closed(post("Transfer-Encoding: xchunked", body="0\r\n\r\n"), 501),
    "identity": closed(post("Transfer-Encoding: identity", "Content-Length: 2", body="{}"), 501),
    "two codings": closed(post("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"), 501),
    "chunked twice": closed(post("Transfer-Encoding: chunked, chunked", body="0\r\n\r\n"), 501),
    "a coding after a vertical tab": closed(post("Transfer-Encoding: \x0bchunked"), 400),
    "a space before the colon": closed(post("Transfer-Encoding : chunked", body="0\r\n\r\n"), 400),
    "a coding that is folded": Attack(
        post("Transfer-Encoding:\r\n chunked", body=f"2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}"),
        (200, 404),
        CHAT_ASKED,
    ),
    "a first line that is folded": closed(
        f"GET /v1/models HTTP/1.1\r\n Host: x\r\n{KEY}\r\n\r\n", 400
    ),
    "a header that is folded": Attack(
        post("A: b\r\n X-Hub-Key-Id: robot", "Content-Length: 2", body="{}"), (200,), CHAT_ASKED
    ),
    "two lengths": closed(post("Content-Length: 2", "Content-Length: 40", body="{}"), 400),
    "two lengths in one": closed(post("Content-Length: 2, 40", body="{}"), 400),
    "the same length twice": Attack(
        post("Content-Length: 2", "Content-Length: 2", body="{}"), (200,), CHAT_ASKED
    ),
    "a negative length": closed(post("Content-Length: -1", body="{}"), 400),
    "a length with a sign": closed(post("Content-Length: +2", body="{}"), 400),
    "a hexadecimal length": closed(post("Content-Length: 0x2", body="{}"), 400),
    "a length beyond 64 bits": closed(post("Content-Length: 99999999999999999999"), 400),
    "a request in a refused body": Attack(
        ask("/tokenize", f"Content-Length: {len(SMUGGLED)}", method="POST", body=SMUGGLED), (404,)
    ),
    "pipelined": Attack(ask() * 3 + SMUGGLED, (200, 200, 200, 404), MODELS_ASKED * 3),
    "lines that end in LF": Attack(ask().replace("\r", ""), (200,), MODELS_ASKED),
    "a bare CR": closed(ask("/v1/models", "A: b\rX-Hub-Key-Id: robot"), 400),
    "a NUL in a header": closed(ask("/v1/models", "A: b\0c"), 400),
    "a header's name with a space": closed(ask("/v1/models", "A b: c"), 400),
    "a header without a name": closed(ask("/v1/models", ": c"), 400),
    "a header without a colon": closed(ask("/v1/models", "abc"), 400),
    "HTTP/0.9": closed("GET /v1/models\r\n\r\n", 400),
    "HTTP/9.9": closed(ask().replace("HTTP/1.1", "HTTP/9.9"), 505),
    "HTTP/1.0, no connection kept": Attack(
        ask().replace("HTTP/1.1", "HTTP/1.0"), (200,), MODELS_ASKED, in_step=False
    ),
    "every byte": closed("".join(map(chr, range(256))), 400),
}

CHUNKS = {
    "a size that is no number": closed(chunked("zz\r\n{}\r\n0\r\n\r\n"), 400),
    "a negative size": closed(chunked("-2\r\n{}\r\n0\r\n\r\n"), 400),
    "a size with 0x": closed(chunked("0x2\r\n{}\r\n0\r\n\r\n"), 400),
    "a size beyond 64 bits": closed(chunked("ffffffffffffffff1\r\n{}\r\n0\r\n\r\n"), 400),
    "more than the size": closed(chunked("2\r\n{}xx0\r\n\r\n"), 400),
    "lines that end in LF": closed(chunked("2\n{}\n0\n\n"), 400),
    "20 kB of extension": closed(chunked(f"2;{'x' * 20_000}\r\n{{}}\r\n0\r\n\r\n"), 400),
    "a trailer without a colon": closed(chunked("2\r\n{}\r\n0\r\ntrailer\r\n\r\n"), 400),
}


FORMS = {
    "host": HOSTS,
    "target": TARGETS,
    "method": METHODS,
    "authorization": AUTHORIZATIONS,
    "head": HEADS,
    "smuggling": SMUGGLING,
}
"""All but the broken chunks, whose row says less."""


def rows(**tables: dict[str, Attack]) -> list[object]:
    """For ``parametrize``."""
    return [
        pytest.param(attack, id=f"{table}: {name}")
        for table, attacks in tables.items()
        for name, attack in attacks.items()
    ]
