"""Attacks on a real Caddy with the program's Caddyfile: each with the answer that comes back.

Whatever comes: home receives listed routes only, with the gateway's key, the name of the client's
key and a fixed Host. Slow attackers are in ``test_slow_attackers.py``, generated requests in
``test_fuzz.py``; what a question's content can do is the model server's part,
``tests/twin/test_attacks.py``.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import httpx2
import pytest

from tests.infra.gateway.attacks import (
    CHAT,
    CHUNKS,
    FORMS,
    KEY,
    Attack,
    chunked,
    post,
    rows,
)
from tests.infra.gateway.conftest import BODY_MB, Gateway
from tests.infra.gateway.invariants import check_received
from tests.support.gateway import chat_headers
from tests.support.raw_http import Answer, exchange
from tests.support.recording_home import Received

HEADERS = {
    "the name of another's key": post("X-Hub-Key-Id: robot", "Content-Length: 2", body="{}"),
    "… named as of this hop only": post(
        "Connection: X-Hub-Key-Id, X-Request-Id, Authorization, Host",
        *("X-Hub-Key-Id: robot", "Content-Length: 2"),
        body="{}",
    ),
    "… twice, and in other letters": post(
        "x-hub-key-id: robot", "X-HUB-KEY-ID: robot", "Content-Length: 2", body="{}"
    ),
    "… as a trailer": chunked(
        "2\r\n{}\r\n0\r\nX-Hub-Key-Id: robot\r\nAuthorization: Basic x\r\n\r\n",
        "Trailer: X-Hub-Key-Id, Authorization",
    ),
    "a change to HTTP/2": post(
        *(
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        "Content-Length: 2",
        body="{}",
    ),
    "a change to WebSocket": post(
        *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        *(f"Sec-WebSocket-Key: {'A' * 22}==", "Content-Length: 2"),
        body="{}",
    ),
    "a proxy's": post(
        *("Proxy-Connection: keep-alive", f"Proxy-{KEY}", "TE: trailers", "Keep-Alive: 300"),
        "Content-Length: 2",
        body="{}",
    ),
    "where it comes from": post(
        *("X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1"),
        "Content-Length: 2",
        body="{}",
    ),
}


def reached(
    gateway: Gateway, answers: Sequence[Answer] | Sequence[httpx2.Response]
) -> list[Received]:
    """What reached home of these requests; the head of an earlier one, cut off, may come late."""
    names = {answer.headers.get("X-Request-Id") for answer in answers}
    return [one for one in gateway.received if one.values("X-Request-Id")[0] in names]


@pytest.mark.parametrize(
    "attack",
    rows(**FORMS),
)
def test_each_attack_gets_its_answer(gateway: Gateway, attack: Attack) -> None:
    gateway.received.clear()
    answers, in_step = exchange(gateway.port, attack.sent.encode("latin-1"), len(attack.answers))
    assert [answer.status for answer in answers] == list(attack.answers)
    assert in_step is attack.in_step
    assert [one.request for one in reached(gateway, answers)] == list(attack.home)
    check_received(gateway.received, {"laptop", ""})


@pytest.mark.parametrize("attack", rows(chunk=CHUNKS))
def test_a_body_in_broken_chunks_is_the_clients_mistake(gateway: Gateway, attack: Attack) -> None:
    gateway.received.clear()
    [answer], in_step = exchange(gateway.port, attack.sent.encode("latin-1"))
    assert answer.status == 400
    assert b'"invalid_request_error"' in answer.body
    assert not in_step
    # Home may have seen the head, never a question that looks whole.
    assert not any(one.body for one in gateway.received)


@pytest.mark.parametrize("sent", HEADERS.values(), ids=HEADERS.keys())
def test_what_a_client_says_of_a_hop_or_of_itself_does_not_reach_home(
    gateway: Gateway, sent: str
) -> None:
    gateway.received.clear()
    [answer], in_step = exchange(gateway.port, sent.encode("latin-1"))
    assert (answer.status, in_step) == (200, True)
    [received] = reached(gateway, [answer])
    assert received.body == b"{}"
    check_received([received], {"laptop"})


def test_a_stranger_who_asks_for_health_cannot_change_the_protocol_or_take_a_name(
    gateway: Gateway,
) -> None:
    gateway.received.clear()
    lines = ("Connection: Upgrade", "Upgrade: websocket", "X-Hub-Key-Id: robot")
    sent = "\r\n".join(("GET /health HTTP/1.1", "Host: x", *lines)) + "\r\n\r\n"
    [answer], in_step = exchange(gateway.port, sent.encode())
    assert (answer.status, in_step) == (200, True)
    check_received(gateway.received, {""})


# vLLM 0.32.0's, all that any of its options registers.
VLLM_ROUTES = """
GET  /docs /docs/oauth2-redirect /fault_tolerance/status /get_world_size /is_paused /is_sleeping
GET  /kv_event_sources /load /metrics /metrics/ /openapi.json /ping /ready /readyz /redoc
GET  /server_info /static/x /tokenizer_info /v1/realtime /v1/responses/resp_1 /version /weight_info
POST /abort_requests /classify /cohere/v2/chat /cohere/v2/chat/render /collective_rpc /detokenize
POST /fault_tolerance/apply /finish_weight_update /generative_scoring /inference/v1/abort_requests
POST /inference/v1/generate /init_weight_transfer_engine /invocations /is_scaling_elastic_ep /pause
POST /ping /pooling /release_kv_cache_memory /rerank /reset_encoder_cache /reset_mm_cache
POST /reset_prefix_cache /resume /scale_elastic_ep /score /shutdown_weight_transfer_engine /sleep
POST /start_draft_weight_update /start_profile /start_weight_update /stop_profile /tokenize
POST /update_weight_version /update_weights /v1/audio/transcriptions /v1/audio/translations
POST /v1/chat/completions/batch /v1/chat/completions/derender /v1/chat/completions/render
POST /v1/completions/derender /v1/completions/render /v1/embeddings /v1/load_lora_adapter
POST /v1/messages /v1/messages/count_tokens /v1/messages/render /v1/rerank
POST /v1/responses/render /v1/responses/resp_1/cancel /v1/score /v1/systemone
POST /v1/unload_lora_adapter /v2/embed /v2/rerank /wake_up /weight_checker
"""


def test_no_other_route_of_the_model_server_exists_with_a_key_or_without(gateway: Gateway) -> None:
    gateway.received.clear()
    asked = [
        (method, path)
        for method, *paths in map(str.split, VLLM_ROUTES.strip().splitlines())
        for path in paths
    ]
    with httpx2.Client(base_url=gateway.url, timeout=20) as http:
        for headers in (chat_headers("laptop"), {}):
            statuses = {one: http.request(*one, headers=headers).status_code for one in asked}
            assert set(statuses.values()) == {404}, statuses
    assert gateway.received == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in (CHAT, "/v1/completions", "/v1/responses")),
        *(("GET", "/v1/models"), ("GET", "/v1/models/vlm"), ("HEAD", "/v1/models")),
    ],
)
def test_the_listed_ones_need_a_key(gateway: Gateway, method: str, path: str) -> None:
    gateway.received.clear()
    assert httpx2.request(method, f"{gateway.url}{path}").status_code == 401
    assert gateway.received == []


FORTY_MB = 40_000_000


@pytest.mark.parametrize(("name", "status"), [("laptop", 413), (None, 401)])
@pytest.mark.parametrize(
    "framing",
    [(f"Content-Length: {FORTY_MB}", ""), ("Transfer-Encoding: chunked", f"{FORTY_MB:x}\r\n")],
    ids=["with a length", "in a chunk"],
)
def test_forty_megabytes_are_refused(
    gateway: Gateway, framing: tuple[str, str], name: str | None, status: int
) -> None:
    line, size = framing
    head = post(line, body=size)
    gateway.received.clear()
    sent = (head if name else head.replace(f"{KEY}\r\n", "")).encode() + b"x" * FORTY_MB
    [answer], in_step = exchange(gateway.port, sent)
    assert (answer.status, in_step) == (status, False)
    assert not any(one.body for one in gateway.received)


def test_a_question_as_large_as_may_be_reaches_home(gateway: Gateway) -> None:
    largest = b"x" * (BODY_MB * 10**6)
    url, headers = f"{gateway.url}{CHAT}", chat_headers("laptop")
    assert httpx2.post(url, headers=headers, content=largest, timeout=20).status_code == 200
    assert gateway.received[-1].body == largest


def test_a_question_reaches_home_byte_for_byte_whatever_model_it_names(gateway: Gateway) -> None:
    for name in ("../../etc", "{env.UPSTREAM_AUTHORIZATION}", "vlm\\r\\nX-Hub-Key-Id: robot", "\0"):
        body = b'{"model": "%s"}' % name.encode()
        gateway.received.clear()
        url = f"{gateway.url}{CHAT}"
        answer = httpx2.post(url, headers=chat_headers("laptop"), content=body)
        assert answer.status_code == 200
        assert [one.body for one in reached(gateway, [answer])] == [body]


def test_a_client_that_stops_in_the_middle_of_its_question_is_told_without_words(
    gateway: Gateway,
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as connection:
        connection.sendall(post("Content-Length: 99", body="{}").encode())
        connection.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert told.startswith(b"HTTP/1.1 499 ")
    assert told.endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_client_that_did_not_ask_whether_to_continue_is_not_told(
    gateway: Gateway, version: str
) -> None:
    # RFC 9110, 15.2: never to HTTP/1.0. Node's fetch takes it for a broken answer.
    sent = post("Content-Length: 2", body="{}").replace("HTTP/1.1", version)
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as connection:
        connection.sendall(sent.encode())
        assert connection.recv(12).split() == [version.encode(), b"200"]
