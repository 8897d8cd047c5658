"""The rendered Caddyfile in a real Caddy, in front of an upstream that tells what it was sent."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import httpx2
import pytest

from infra.gcp.caddyfile import HEALTH_FAILS, keys_file
from infra.gcp.errors import RETRY_AFTER_SECONDS
from tests.support.gateway import (
    API_KEYS,
    chat_headers,
    is_up,
    line_of,
    running_gateway,
)
from tests.support.home import Home, home_handler
from tests.support.http_server import serving
from tests.support.waiting import until

LAPTOP = chat_headers("laptop")
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Gateway:
    url: str
    home: Home
    log: Path

    def post(self, path: str = CHAT, **more: object) -> httpx2.Response:
        return httpx2.post(f"{self.url}{path}", timeout=20, **more)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("caddy")
    home = Home()
    with (
        serving(home_handler(home)) as port,
        running_gateway(folder, home_port=port, check_interval="200ms") as url,
    ):
        until(lambda: is_up(url))
        yield Gateway(url, home, folder / "log")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer *",
        f"Bearer {'c' * 43}",
        f"Bearer {API_KEYS['laptop'].upper()}",
        f"Bearer {API_KEYS['laptop']}x",
        f"Bearer x{API_KEYS['laptop']}",
        f"Bearer {API_KEYS['laptop']},",
        f"Bearer {API_KEYS['laptop']} {API_KEYS['robot']}",
        f"Bearer{API_KEYS['laptop']}",
        f"Basic {API_KEYS['laptop']}",
        API_KEYS["laptop"],
        "Basic x",
        f"Bearer {'a' * 8000}",
    ],
)
def test_a_stranger_is_refused_and_home_is_not_asked(
    gateway: Gateway, authorization: str | None
) -> None:
    asked = len(gateway.home.received)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = gateway.post(headers=headers, json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert len(gateway.home.received) == asked


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer  ", "bEaReR    "])
def test_the_scheme_may_be_spelt_as_one_likes(gateway: Gateway, scheme: str) -> None:
    headers = {"Authorization": scheme + API_KEYS["robot"]}
    assert gateway.post(headers=headers, json={}).status_code == 200
    assert gateway.home.received[-1]["X-Hub-Key-Id"] == "robot"


def test_two_keys_are_no_key(gateway: Gateway) -> None:
    twice = [("Authorization", f"Bearer {API_KEYS[name]}") for name in ("laptop", "robot")]
    assert gateway.post(headers=twice, json={}).status_code == 401
    assert gateway.post(headers=[twice[0], ("Authorization", "x")], json={}).status_code == 401


def test_of_a_strangers_large_body_not_more_than_256_kb_are_read(gateway: Gateway) -> None:
    # Go's server reads that much of a body that nobody wanted before it answers.
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n".encode()
        )
        connection.sendall(b"x" * (256 * 1024 + 1))
        assert b"401" in connection.recv(64)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/embeddings"),
        ("POST", "/invocations"),
        ("POST", "/tokenize"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
        ("GET", CHAT),
        ("POST", "/v1/models"),
        ("DELETE", CHAT),
        ("POST", "/v1/chat/completions/../../tokenize"),
        # Another spelling of a listed path is another path.
        ("GET", "/V1/models"),
        ("GET", "/v1%2fmodels"),
        ("GET", "//v1/models"),
        ("GET", "/v1//models"),
        ("GET", "/v1/models/"),
        ("GET", "/v1/./models"),
        ("GET", "/v1/models;x"),
        ("GET", "/v1/models/other"),
        ("POST", "/v1/Chat/completions"),
        ("POST", "/v1/chat%2Fcompletions"),
        ("POST", "/health"),
        ("HEAD", CHAT),
        ("PUT", "/v1/models"),
        ("OPTIONS", CHAT),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
    ],
)
def test_what_is_not_listed_does_not_exist(gateway: Gateway, method: str, path: str) -> None:
    asked = len(gateway.home.received)
    status, body = raw(gateway, method, path)
    assert status == 404
    assert method == "HEAD" or b'"unknown_url"' in body
    assert len(gateway.home.received) == asked


def raw(gateway: Gateway, method: str, target: str) -> tuple[int, bytes]:
    """Status and body for a target as it is written; a client's library would tidy it up."""
    host, port = gateway.url.removeprefix("http://").split(":")
    with closing(HTTPConnection(host, int(port), timeout=20)) as connection:
        connection.putrequest(method, target, skip_accept_encoding=True)
        connection.putheader("Authorization", LAPTOP["Authorization"])
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CHAT),
        ("POST", "/v1/completions"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models?limit=1"),
        ("GET", "/v1/models/vlm"),
        ("GET", "/health"),
        ("HEAD", "/health"),
        ("HEAD", "/v1/models"),
    ],
)
def test_what_is_listed_is_answered(gateway: Gateway, method: str, path: str) -> None:
    answer = httpx2.request(method, f"{gateway.url}{path}", headers=LAPTOP, timeout=20)
    assert answer.status_code == 200
    assert bool(answer.content) is (method != "HEAD")


def test_the_one_model_can_be_looked_up_by_its_name(gateway: Gateway) -> None:
    path = f"{gateway.url}/v1/models/vlm"
    model = httpx2.get(path, headers=LAPTOP).json()
    assert (model["id"], model["object"]) == ("vlm", "model")
    assert httpx2.get(path).status_code == 401


def test_head_is_get_at_home(gateway: Gateway) -> None:
    before = len(gateway.home.got)
    httpx2.head(f"{gateway.url}/v1/models", headers=LAPTOP)
    assert "GET /v1/models" in gateway.home.got[before:]
    assert "HEAD /v1/models" not in gateway.home.got[before:]


def test_home_gets_the_gateways_key_and_the_clients_name_never_the_clients_key(
    gateway: Gateway,
) -> None:
    forged = {**LAPTOP, "X-Hub-Key-Id": "robot", "Host": "evil"}
    assert gateway.post(headers=forged, json={}).status_code == 200
    sent = gateway.home.received[-1]
    assert sent["Authorization"] == "Basic upstream"
    assert sent["X-Hub-Key-Id"] == "laptop"
    assert sent["Host"] == "home"
    assert API_KEYS["laptop"] not in str(sent)


PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("says", "told"),
    [
        # Traefik's: no pod behind the Service, one that does not answer, one that is slow.
        ((503, PLAIN), (503, "model_unavailable", "10")),
        ((502, PLAIN), (503, "model_unavailable", "10")),
        ((504, PLAIN), (503, "model_unavailable", "10")),
        # Its own refusals: another gateway key, no Ingress, too much at once, too often.
        ((401, PLAIN), (502, "home_misconfigured", None)),
        ((404, PLAIN), (503, "home_misconfigured", "5")),
        ((429, PLAIN), (429, "too_many_at_once", "1")),
        ((429, {**PLAIN, "X-Retry-In": "600ms"}), (429, "rate_limit_exceeded", "1")),
        # vLLM's word for a client's mistake.
        ((501, PLAIN), (400, "unsupported_form", None)),
        # A fault in vLLM.
        ((500, {"Content-Type": "application/json"}), (500, "model_failed", None)),
    ],
)
def test_what_home_says_in_words_of_its_own_is_told_by_status_and_code(
    gateway: Gateway, says: tuple[int, dict[str, str]], told: tuple[int, str, str | None]
) -> None:
    gateway.home.says = says
    try:
        answer = gateway.post(headers=LAPTOP, json={})
    finally:
        gateway.home.says = None
    code, after = answer.json()["error"]["code"], answer.headers.get("retry-after")
    assert (answer.status_code, code, after) == told
    assert "x-hub-home" not in answer.headers


def test_what_the_model_server_refuses_in_json_is_left_as_it_is(gateway: Gateway) -> None:
    gateway.home.says = (404, {"Content-Type": "application/json"})
    try:
        answer = gateway.post(headers=LAPTOP, json={})
    finally:
        gateway.home.says = None
    assert (answer.status_code, answer.text) == (404, "words of its own")


def test_a_model_server_that_starts_is_no_home_that_is_off(gateway: Gateway) -> None:
    gateway.home.says = (503, PLAIN)
    try:
        checks = len(gateway.home.got)
        until(lambda: len(gateway.home.got) > checks + 2 * HEALTH_FAILS)
        assert gateway.post(headers=LAPTOP, json={}).json()["error"]["code"] == "model_unavailable"
    finally:
        gateway.home.says = None
    assert gateway.post(headers=LAPTOP, json={}).status_code == 200


def test_a_request_has_one_name_on_its_whole_way(gateway: Gateway) -> None:
    first, second = (gateway.post(headers=LAPTOP, json={}) for _ in range(2))
    [name] = first.headers.get_list("x-request-id")
    assert gateway.home.received[-2]["X-Request-Id"] == name
    assert second.headers["x-request-id"] != name
    assert len(gateway.post(json={}).headers["x-request-id"]) == 36  # a refused one has a name, too


def test_the_answer_tells_how_long_home_took(gateway: Gateway) -> None:
    timing = gateway.post(headers=LAPTOP, json={}).headers["server-timing"]
    name, _, milliseconds = timing.partition(";dur=")
    assert name == "home"
    assert 0 < float(milliseconds) < 10_000


def test_both_keys_of_a_client_share_its_name_at_home(gateway: Gateway) -> None:
    for key in ("robot", "robot.2"):
        assert gateway.post(headers=chat_headers(key), json={}).status_code == 200
        assert gateway.home.received[-1]["X-Hub-Key-Id"] == "robot"


def test_a_body_over_the_cap_is_413_in_words(gateway: Gateway) -> None:
    answer = gateway.post(headers=LAPTOP, content=b"x" * 1_100_000)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"
    assert "larger than 1 MB" in answer.json()["error"]["message"]


def test_a_stream_arrives_piece_by_piece(gateway: Gateway) -> None:
    gateway.home.release.clear()
    with httpx2.stream(
        "POST", f"{gateway.url}{CHAT}", headers=LAPTOP, json={"stream": True}, timeout=20
    ) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: one\n\n"  # before the upstream may write the second
        gateway.home.release.set()
        assert b"".join(pieces) == b"data: two\n\n"


def code_of(answer: httpx2.Response) -> str:
    return answer.json()["error"]["code"] if answer.is_error else ""


def test_a_home_that_breaks_off_is_told_from_one_that_is_off(gateway: Gateway) -> None:
    gateway.home.on = False
    try:
        answer = gateway.post(headers=LAPTOP, json={})
        assert (answer.status_code, code_of(answer)) == (502, "home_lost")
        assert "retry-after" not in answer.headers
    finally:
        gateway.home.on = True
        until(lambda: is_up(gateway.url))


def test_home_off_is_told_within_two_seconds_with_when_to_try_again(gateway: Gateway) -> None:
    gateway.home.on = False
    try:
        until(lambda: code_of(gateway.post(headers=LAPTOP, json={})) == "home_unavailable")
        begun = time.monotonic()
        answer = gateway.post(headers=LAPTOP, json={})
        took = time.monotonic() - begun
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
        assert answer.json()["error"]["code"] == "home_unavailable"
        # The bound is the promise to the user, not a measure of speed.
        assert took < 2
    finally:
        gateway.home.on = True
        until(lambda: is_up(gateway.url))


def test_no_key_is_ever_logged(gateway: Gateway) -> None:
    gateway.post(headers=LAPTOP, json={})
    text = gateway.log.read_text()
    assert text
    for key in API_KEYS.values():
        assert key not in text


def test_each_request_is_a_line_of_the_log_with_whose_it_was(gateway: Gateway) -> None:
    gateway.log.with_name("tunnel").write_text("relayed\n")
    answered = gateway.post(headers=chat_headers("robot.2"), json={"a": 1})
    refused = gateway.post(json={})

    first, second = (line_of(gateway.log, answer) for answer in (answered, refused))
    assert (first["key"], first["status"], first["request"]["uri"]) == ("robot.2", 200, CHAT)
    assert first["size"] == len(answered.content)
    assert 0 < first["first_byte_ms"] <= first["ts"] * 1000 - int(first["arrived_ms"])
    assert first["tunnel"] == "relayed"
    assert (second["key"], second["status"]) == ("", 401)
    assert "tunnel" not in second
    assert "headers" not in first["request"]
    assert "resp_headers" not in first


def test_of_a_client_that_leaves_in_the_middle_the_log_knows_as_much(gateway: Gateway) -> None:
    gateway.home.release.clear()
    headers = chat_headers("robot.2")
    with httpx2.stream("POST", f"{gateway.url}{CHAT}", headers=headers, json={"stream": 1}) as left:
        pieces = left.iter_raw()  # Kept: httpx2 closes the connection of one that is collected.
        assert next(pieces) == b"data: one\n\n"
        leaves = time.time()
    try:
        line = line_of(gateway.log, left)
    finally:
        gateway.home.release.set()
    assert (line["key"], line["status"], line["size"]) == ("robot.2", 200, len(b"data: one\n\n"))
    assert int(line["arrived_ms"]) + line["first_byte_ms"] < leaves * 1000
    assert leaves < line["ts"]


def test_every_error_is_json_in_openais_form(gateway: Gateway) -> None:
    for answer in (gateway.post(json={}), gateway.post("/nowhere", json={})):
        assert answer.headers["content-type"] == "application/json"
        error = json.loads(answer.text)["error"]
        assert sorted(error) == ["code", "message", "param", "type"]
        assert isinstance(error["code"], str)


PAGE = "https://robots.example"


@pytest.fixture(scope="module")
def for_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway that lets web pages ask."""
    folder = tmp_path_factory.mktemp("origins")
    origins = ["http://localhost:3000", PAGE]
    with (
        serving(home_handler(Home())) as port,
        running_gateway(folder, home_port=port, origins=origins) as url,
    ):
        until(lambda: is_up(url))
        yield url


OF_OPENAIS_SDK = (
    "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,"
    "x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,"
    "x-stainless-runtime-version,x-stainless-timeout"
)
"""What its version for JavaScript makes a browser ask for."""


def preflight(url: str, origin: str) -> httpx2.Response:
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": OF_OPENAIS_SDK,
    }
    return httpx2.options(f"{url}{CHAT}", headers=asks)


def test_a_page_of_an_allowed_origin_may_ask_and_read_refusals(for_pages: str) -> None:
    allowed = preflight(for_pages, PAGE)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert allowed.headers["access-control-allow-headers"] == OF_OPENAIS_SDK
    for headers, status in ((LAPTOP, 200), ({}, 401)):
        origin = {**headers, "Origin": PAGE}
        answer = httpx2.post(f"{for_pages}{CHAT}", headers=origin, json={}, timeout=20)
        assert answer.status_code == status
        assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
        assert answer.headers["vary"] == "Origin"
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert exposed == ["X-Request-Id", "Server-Timing", "Retry-After", "X-Hub-Fallback"]


def test_a_page_of_another_origin_may_not(for_pages: str) -> None:
    refused = preflight(for_pages, "https://robots.example.evil")
    assert refused.status_code == 404
    assert "access-control-allow-headers" not in refused.headers
    headers = {**LAPTOP, "Origin": "https://evil.example"}
    answer = httpx2.post(f"{for_pages}{CHAT}", headers=headers, json={}, timeout=20)
    assert "access-control-allow-origin" not in answer.headers


def test_without_a_setting_no_page_may_ask_whatever_home_says(gateway: Gateway) -> None:
    assert preflight(gateway.url, PAGE).status_code == 404
    answer = gateway.post(headers={**LAPTOP, "Origin": PAGE}, json={})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("key", ["", "*", "a b", 'a"b', "a\nb"])
def test_a_key_that_anybody_could_match_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key of laptop is not letters and digits"):
        keys_file({"laptop": key})
