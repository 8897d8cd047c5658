"""What counts as a right answer, as a failure that the client sees, and as neither."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.faults.streams import Boxes, Outcome, Request, Streams, ask

CUP = Boxes(("cup",), (10, 20, 30, 40))
ANSWER = '[{"bbox_2d":[10,20,30,%s],"label":"cup"}]'
OPENAIS = {"message": "Home is off.", "type": "server_error", "param": None, "code": "off"}

FAILED = json.dumps({"error": OPENAIS})


def events(*texts: str, end: str = "data: [DONE]\n\n") -> str:
    pieces = [{"choices": [{"delta": {"content": text}}]} for text in texts]
    return "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + end


class Stream(httpx2.SyncByteStream):
    def __init__(self, text: str, error: httpx2.TransportError | None) -> None:
        self._text, self._error = text, error

    def __iter__(self) -> Iterator[bytes]:
        yield self._text.encode()
        if self._error:
            raise self._error


def seen(
    status: int, text: str, error: httpx2.TransportError | None = None, retry_after: str = ""
) -> tuple[Outcome, str]:
    headers = {"Retry-After": retry_after} if retry_after else {}

    def answer(_: httpx2.Request) -> httpx2.Response:
        if error and not text:
            raise error
        return httpx2.Response(status, stream=Stream(text, error), headers=headers)

    with httpx2.Client(transport=httpx2.MockTransport(answer), base_url="http://hub") as http:
        return ask(http, {}, CUP.agrees)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (events(ANSWER % 40), "right"),
        (events(ANSWER % 43, " and so on"), "right"),
        (events(ANSWER % 44), "wrong"),
        (events((ANSWER % 40).replace("cup", "mug")), "wrong"),
        (events("[]"), "wrong"),
        (events(ANSWER % 40, end=""), "wrong"),
        (events(ANSWER % 40, end=f"data: {FAILED}\n\ndata: [DONE]\n\n"), "failed"),
        (
            events(ANSWER % 40, end='data: {"error": {"message": "…"}}\n\ndata: [DONE]\n\n'),
            "wrong",
        ),
        ("", "wrong"),
    ],
)
def test_a_whole_stream_is_right_if_it_has_the_boxes_and_an_end(text: str, expected: str) -> None:
    assert seen(200, text)[0] == expected


def test_a_connection_that_breaks_is_a_failure_that_the_client_sees() -> None:
    lost = httpx2.RemoteProtocolError("peer closed connection")
    assert seen(200, "", lost) == ("failed", "no connection")
    assert seen(200, events("[", end=""), lost) == ("failed", "broken off")
    assert seen(200, events(ANSWER % 99, end=""), lost)[0] == "wrong"


def test_silence_is_no_failure_that_the_client_sees() -> None:
    assert seen(200, "", httpx2.ReadTimeout("")) == ("wrong", "nothing for 60 s")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, FAILED, ("failed", "401 off")),
        (503, FAILED, ("wrong", "503 off")),
        (500, json.dumps({"error": OPENAIS | {"code": 500}}), ("wrong", None)),
        (503, "Service Unavailable", ("failed", "503 of Cloud Run")),
        (502, "Bad Gateway", ("wrong", "Bad Gateway")),
        (503, '{"error": {"message": "Home is off."}}', ("wrong", None)),
    ],
)
def test_a_refusal_has_openais_shape_or_is_cloud_runs_own(
    status: int, body: str, expected: tuple[str, str | None]
) -> None:
    assert seen(status, body) == (expected[0], expected[1] or body)


def test_a_503_of_the_gateway_says_when_to_try_again() -> None:
    assert seen(503, FAILED, retry_after="5") == ("failed", "503 off")


def test_all_are_answered_again_when_each_client_has_asked_since_and_was_answered() -> None:
    old = [Request(client, 1, 5, "right") for client in range(8)]
    new = [Request(client, 3, 5, "right") for client in range(7)]
    streams = Streams([*old, *new, Request(7, 3, 5, "failed")])
    assert (streams.all_answered_since(1), streams.all_answered_since(2)) == (True, False)
