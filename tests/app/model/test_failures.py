"""The middleware that names the request beside a failure, around applications that fail."""

from __future__ import annotations

import asyncio

import pytest

from app.model.failures import FailuresByRequest
from app.model.refusals import Message, Receive, Send

NAMED = "Request 3f2a: "


def logged(caplog: pytest.LogCaptureFixture, status: int, *pieces: bytes, fails: bool) -> list[str]:
    """The log's lines after an answer in these pieces, and perhaps an exception."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if pieces:
            await send({"type": "http.response.start", "status": status, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if fails:
            raise RuntimeError("no memory")

    out: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        out.append(message)

    scope = {"type": "http", "headers": [(b"host", b"home"), (b"x-request-id", b"3f2a")]}
    try:
        asyncio.run(FailuresByRequest(app)(scope, receive, send))
    except RuntimeError:
        assert fails
    assert [message["body"] for message in out[1:]] == list(pieces)
    return caplog.messages


@pytest.mark.parametrize(
    ("status", "pieces", "fails", "line"),
    [
        (500, [b'{"error": "no memory"}'], False, NAMED + '{"error": "no memory"}'),
        (503, [b"not now"], False, NAMED + "not now"),
        (200, [], True, NAMED + "RuntimeError('no memory')"),
        (200, [b"data: {}\n\n"], True, NAMED + "RuntimeError('no memory')"),
        (200, [b"data: {}", b'data: {"error": 1}'], False, NAMED + 'data: {"error": 1}'),
    ],
)
def test_a_failure_is_logged_by_its_request(
    caplog: pytest.LogCaptureFixture, status: int, pieces: list[bytes], fails: bool, line: str
) -> None:
    assert logged(caplog, status, *pieces, fails=fails) == [line]


@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (200, b"data: {}"), (400, b"{}")])
def test_an_answer_and_a_refusal_are_not_logged(
    caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    assert logged(caplog, status, body, fails=False) == []


def test_a_failed_start_keeps_its_own_error() -> None:
    async def app(_scope: Message, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("no GPU")

    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    with pytest.raises(RuntimeError, match="no GPU"):
        asyncio.run(FailuresByRequest(app)({"type": "lifespan"}, receive, send))
