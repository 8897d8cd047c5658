"""A small service on loopback that answers, and fails in every way a real one does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler
from typing import Any

import trustme

from app.client import Connection
from tests.support.http_server import Handler, serving

JSON = {"Content-Type": "application/json"}
CARD = {"id": "vlm", "root": "personal-cloud-hub/tiny-vl", "max_model_len": 4096}


@dataclass
class FakeService:
    """What it does next, and what it was asked."""

    pieces: list[str] = field(default_factory=lambda: ["Hi", " there"])
    card: dict[str, Any] = field(default_factory=lambda: dict(CARD))
    other_cards: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refusals: list[tuple[int, dict[str, str]]] = field(
        default_factory=list[tuple[int, dict[str, str]]]
    )
    """Status and headers of the next responses; then it answers again."""
    listing_refusals: list[tuple[int, dict[str, Any], dict[str, str]]] = field(
        default_factory=list[tuple[int, dict[str, Any], dict[str, str]]]
    )
    """Status, body and headers of the next answers to who asks for the models."""
    message: str = "told by the server"
    code: str | None = "home_unavailable"
    """Of a refusal with 502 to 504: our gateway's; another service has another, or none."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    finish_reason: str = "stop"
    break_off: bool = False
    """After the pieces, as if the machine had lost its power."""
    end_early: bool = False
    """After the pieces, in good form, as a hop does that lost the server behind it."""
    in_its_place: tuple[int, bytes] | None = None
    """Status and text that answer every question, as a cloud's in place of a gateway."""
    listing: bytes | None = None
    """Instead of the list of models."""
    in_pairs: bool = False
    """Answers only when two are asked at the same time."""
    silent_before: bool = False
    """Takes the request and never answers."""
    silent_after: bool = False
    """Nothing follows the pieces."""
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lengths: list[int] = field(default_factory=list[int])
    keys: list[str | None] = field(default_factory=list[str | None])
    left: threading.Event = field(default_factory=threading.Event)
    """The client closed its connection before the answer's end."""
    url: str = ""

    @property
    def connection(self) -> Connection:
        return Connection(self.url, "sk-test")


@contextmanager
def fake_service() -> Generator[FakeService]:  # noqa: C901  # one small server
    service = FakeService()
    barrier = threading.Barrier(2)

    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802
            service.keys.append(self.headers["Authorization"])
            if service.listing_refusals:
                self.json(*service.listing_refusals.pop(0))
            elif service.listing is not None:
                self.whole(200, service.listing, JSON)
            else:
                cards = [service.card, *service.other_cards]
                self.json(200, {"object": "list", "data": cards}, {})

        def do_POST(self) -> None:  # noqa: N802
            body = self.body()
            service.asked.append(json.loads(body))
            service.lengths.append(len(body))
            service.keys.append(self.headers["Authorization"])
            if service.in_pairs:
                barrier.wait(10)
            if service.silent_before:
                self.until_left()
            elif service.in_its_place is not None:
                self.whole(*service.in_its_place, {"Content-Type": "text/plain"})
            elif service.refusals:
                status, headers = service.refusals.pop(0)
                code = service.code if status >= 500 else str(status)
                told = {"message": service.message, "type": "x", "code": code}
                self.json(status, {"error": told}, headers)
            else:
                self.answer()

        def answer(self) -> None:
            self.begin_events(service.headers)
            for piece in service.pieces:
                self.event(choices=[choice(piece)])
            if service.break_off:
                self.close_connection = True
            elif service.end_early:
                self.piece(b"")
            elif service.silent_after:
                self.until_left()
            else:
                self.event(choices=[choice("", service.finish_reason)])
                self.event(choices=[], usage=usage(len(service.pieces)))
                self.piece(b"data: [DONE]\n\n")
                self.piece(b"")

        def event(self, **more: Any) -> None:
            told = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "vlm",
                **more,
            }
            self.piece(f"data: {json.dumps(told)}\n\n".encode())

        def until_left(self) -> None:
            self.close_connection = True
            self.connection.settimeout(30)
            try:
                gone = self.connection.recv(1) == b""
            except ConnectionResetError:
                gone = True
            if gone:
                service.left.set()

        def json(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
            self.whole(status, json.dumps(body).encode(), {**headers, **JSON})

    with serving(Answering) as port:
        service.url = f"http://127.0.0.1:{port}/v1"
        yield service


def choice(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": text}, "finish_reason": finish}


def usage(completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": 11,
        "completion_tokens": completion,
        "total_tokens": 11 + completion,
    }


@contextmanager
def https_service() -> Generator[Connection]:
    """Its certificate is of an authority that nobody knows."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # the client hangs up within the handshake
                context.wrap_socket(self.request, server_side=True).close()

    with serving(Handler) as port:
        yield Connection(f"https://localhost:{port}/v1", "sk-test")
