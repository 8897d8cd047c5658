"""A server at home for tests of the gateway: it can be off, refuse, and tells what it was sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass
class Home:
    """An upstream that can be off, and what it received."""

    received: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    on: bool = True
    refuses: bool = False
    """Each question, by its head."""
    lose_health_checks: int = 0
    """That many of the next ones get no answer."""
    release: threading.Event = field(default_factory=threading.Event)


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "a name of home's own")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


def home_handler(home: Home) -> type[BaseHTTPRequestHandler]:
    class Handler(Answering):
        def do_GET(self) -> None:
            lost = home.lose_health_checks > 0
            home.lose_health_checks -= lost
            if home.on and not lost:
                self.answer(200, b"{}")
            else:
                self.close_connection = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not home.on:
                self.close_connection = True
                return
            home.received.append({**dict(self.headers.items()), "path": self.path})
            if b"stream" not in body:
                self.answer(200, b'{"ok": true}')
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.piece(b"data: one\n\n")
            home.release.wait(10)
            self.piece(b"data: two\n\n")
            self.piece(b"")

        def handle_expect_100(self) -> bool:
            if home.refuses:
                self.close_connection = True
                self.answer(429, b'{"busy": true}')
                return False
            return super().handle_expect_100()

    return Handler
