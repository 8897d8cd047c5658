"""The client's library against a small server that fails in every way a real one does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.client.chat import ChatError, ask_stream


@dataclass
class Server:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    break_off: bool = False
    received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append({"body": json.loads(body), "key": self.headers["Authorization"]})
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            if state.status != 200:
                text = b'{"error": {"message": "told by the server", "type": "x", "code": 400}}'
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                return
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in ("Hi", " there"):
                self.chunk(event(piece))
            if state.break_off:
                self.close_connection = True
                return
            self.chunk(b"data: [DONE]\n\n")
            self.chunk(b"")

        def chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/v1"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def event(piece: str) -> bytes:
    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "vlm",
        "choices": [choice],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def ask(server: Server, image: Path | None = None) -> list[str]:
    return list(ask_stream("Hello", image=image, base_url=server.url, api_key="key"))


def test_the_answer_comes_in_pieces_with_the_key_and_the_models_alias_sent(server: Server) -> None:
    assert ask(server) == ["Hi", " there"]
    [sent] = server.received
    assert sent["key"] == "Bearer key"
    assert sent["body"]["model"] == "vlm"
    assert sent["body"]["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
    ]


def test_a_picture_is_sent_in_the_models_own_size_before_the_text(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "p.png"
    Image.new("RGBA", (4032, 3024), "teal").save(file)
    ask(server, file)
    image, text = server.received[0]["body"]["messages"][0]["content"]
    assert text == {"type": "text", "text": "Hello"}
    assert image["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (401, {}, "The API key is not valid here"),
        (413, {}, "Send a smaller picture"),
        (429, {}, "Too many requests"),
        (503, {"Retry-After": "30"}, "Try again in 30 s"),
        (504, {}, "The server at home does not answer"),
        (400, {}, "told by the server"),
    ],
)
def test_a_refusal_is_told_in_words_and_not_tried_again(
    server: Server, status: int, headers: dict[str, str], told: str
) -> None:
    server.status, server.headers = status, headers
    with pytest.raises(ChatError, match=told):
        ask(server)
    assert len(server.received) == 1


def test_a_stream_that_breaks_off_is_told_after_what_had_come(server: Server) -> None:
    server.break_off = True
    pieces: list[str] = []
    with pytest.raises(ChatError):
        pieces.extend(ask_stream("Hello", image=None, base_url=server.url, api_key="key"))
    assert pieces == ["Hi", " there"]


def test_nobody_there_is_told_with_what_to_look_at() -> None:
    with pytest.raises(ChatError, match="hub status"):
        list(ask_stream("Hello", image=None, base_url="http://127.0.0.1:9/v1", api_key="key"))


@pytest.mark.parametrize(("content", "told"), [(None, "no file"), (b"not a picture", "cannot be")])
def test_what_is_no_picture_is_refused_before_anything_is_sent(
    server: Server, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "file.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ChatError, match=told):
        ask(server, file)
    assert server.received == []
