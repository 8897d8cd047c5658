"""The middleware that vLLM loads, around an application that answers as vLLM does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app.model.refusals import Message, OpenAIErrors, Receive, Send, in_openais_shape


def vllms(message: str = "Too long.", type_: str = "BadRequestError", **more: Any) -> bytes:
    error = {"message": message, "type": type_, "param": None, "code": 400, **more}
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (vllms(), None, "invalid_request"),
        (vllms(param="temperature"), "temperature", "invalid_request"),
        (vllms(type_="Bad Request", param="body.temperature"), "temperature", "invalid_request"),
        (vllms(param="input_tokens"), "input_tokens", "context_length_exceeded"),
        (vllms(param="input_text"), "input_text", "context_length_exceeded"),
        (vllms(type_="NotFoundError", param="model", code=404), "model", "model_not_found"),
        (b'{"detail": "Too long."}', None, "invalid_request"),
    ],
)
def test_type_and_code_are_openais(body: bytes, param: str | None, code: str) -> None:
    assert json.loads(in_openais_shape(body)) == {
        "error": {
            "message": "Too long.",
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }
    }


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"Not Found", b"[]", b'{"detail":[]}', b'{"error":"no"}', b'{"error":{}}'),
        vllms(code="invalid_request"),
    ],
)
def test_a_body_of_another_shape_is_left(body: bytes) -> None:
    assert in_openais_shape(body) == body


def sent(status: int, *pieces: bytes) -> list[Message]:
    """What goes out, of an answer that comes in these pieces."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        length = str(sum(map(len, pieces))).encode()
        headers = [(b"Content-Length", length), (b"x-request-id", b"a")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for left, piece in reversed([*enumerate(reversed(pieces))]):
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    out: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        out.append(message)

    asyncio.run(OpenAIErrors(app)({"type": "http"}, receive, send))
    return out


def test_a_refusal_goes_out_whole_with_its_new_length() -> None:
    whole = vllms(param="model")
    start, body = sent(404, whole[:20], whole[20:])
    assert json.loads(body["body"])["error"]["code"] == "model_not_found"
    assert start == {
        "type": "http.response.start",
        "status": 404,
        "headers": [
            (b"x-request-id", b"a"),
            (b"content-length", str(len(body["body"])).encode()),
        ],
    }


@pytest.mark.parametrize("status", [200, 500])
def test_what_is_no_refusal_passes_in_its_own_pieces(status: int) -> None:
    pieces = [message.get("body") for message in sent(status, vllms()[:5], vllms()[5:])]
    assert pieces == [None, vllms()[:5], vllms()[5:]]


def error_event(code: int, type_: str, message: str) -> bytes:
    """In the middle of a stream, from vLLM's ``create_streaming_error_response``."""
    return b"data: " + vllms(message, type_, code=code) + b"\n\n"


@pytest.mark.parametrize(
    ("event", "type_", "code"),
    [
        (
            error_event(500, "InternalServerError", "Internal server error"),
            *("server_error", "model_failed"),
        ),
        (
            error_event(400, "BadRequestError", "No such grammar."),
            *("invalid_request_error", "invalid_request"),
        ),
    ],
)
def test_an_error_in_the_middle_of_a_stream_has_openais_shape_too(
    event: bytes, type_: str, code: str
) -> None:
    before, after = b'data: {"id":"1","choices":[]}\n\n', b"data: [DONE]\n\n"
    begun = sent(200, before, event, after)
    assert [message.get("body") for message in (begun[1], begun[3])] == [before, after]
    told = begun[2]["body"]
    assert told.startswith(b"data: ")
    assert told.endswith(b"\n\n")
    message = json.loads(event.removeprefix(b"data: "))["error"]["message"]
    assert json.loads(told.removeprefix(b"data: ")) == {
        "error": {"message": message, "type": type_, "param": None, "code": code}
    }


def test_an_answer_that_speaks_of_an_error_is_left() -> None:
    chunk = b'data: {"id":"1","choices":[{"delta":{"content":"data: {\\"error\\": 1}"}}]}\n\n'
    assert sent(200, chunk)[1]["body"] == chunk
    strange = b'data: {"error": "no"}\n\n'
    assert sent(200, strange)[1]["body"] == strange


SSE = [(b"content-type", b"text/event-stream; charset=utf-8")]


class EngineDeadError(Exception):
    """vLLM's own."""


def cut(path: str, *pieces: bytes, headers: list[tuple[bytes, bytes]], ended: bool = False) -> str:
    """What goes out of an answer whose application fails behind these pieces."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if ended:
            await send({"type": "http.response.body", "body": b""})
        raise EngineDeadError

    out: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        out.append(message)

    with pytest.raises(EngineDeadError):
        asyncio.run(OpenAIErrors(app)({"type": "http", "path": path}, receive, send))
    return b"".join(message.get("body", b"") for message in out).decode()


def test_a_stream_of_responses_that_breaks_off_ends_with_the_event_of_that_interface() -> None:
    first = b'event: x\ndata: {"delta":"a","sequence_number":41,"type":"x"}\n\n'
    told = cut("/v1/responses", first, headers=SSE).removeprefix(first.decode())
    name, data, *rest = told.split("\n")
    assert (name, rest) == ("event: error", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == {
        "type": "error",
        "code": "model_failed",
        "message": "The model server failed in the middle of this answer.",
        "param": None,
        "sequence_number": 42,
    }


def test_another_stream_that_breaks_off_ends_with_an_error_and_the_end() -> None:
    told = cut("/v1/chat/completions", b"data: {}\n\n", headers=SSE)
    _, error, end, _ = told.split("\n\n")
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "model_failed"
    assert end == "data: [DONE]"


def test_nothing_is_added_to_what_is_no_stream_or_has_ended() -> None:
    assert cut("/v1/responses", b"{", headers=[(b"content-type", b"application/json")]) == "{"
    assert cut("/v1/responses", b"data: a\n\n", headers=SSE, ended=True) == "data: a\n\n"
