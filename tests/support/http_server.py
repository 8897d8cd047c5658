"""A small HTTP server of a test's own, on a port of its own, in a thread of this process."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler
from typing import Any

from tests.support.waiting import until

POLL_SECONDS = 0.01
START_SECONDS = 60
PIECE_BYTES = 2**20


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, logs nothing; answers whole or in pieces."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """What was sent with the request, by its length or in chunks.

        Raises:
            ValueError: the connection ended before the body did.
        """
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(self._chunks())
        length, body = int(self.headers.get("Content-Length", 0)), bytearray()
        # In pieces: room is taken for what comes, not for what was announced.
        while piece := self.rfile.read(min(length - len(body), PIECE_BYTES)):
            body += piece
        if len(body) < length:
            raise ValueError(f"{len(body)} bytes of {length} came")
        return bytes(body)

    def _chunks(self) -> Generator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers

    def whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.begin(status, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def begin_events(self, headers: Mapping[str, str] | None = None) -> None:
        """The head of a stream of server-sent events; its pieces follow."""
        stream = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        self.begin(200, {**stream, **(headers or {})})

    def piece(self, data: bytes) -> None:
        """One piece of the answer; an empty one is its end."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


_Request = socket.socket | tuple[bytes, socket.socket]


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    """Of connections that wait to be taken; 5 by default, less than some tests open at once."""
    daemon_threads = False
    """So that the server's end waits for the threads of its requests: one that goes on would
    write into what a later test counts."""

    def __init__(self, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: _Request, client_address: object) -> None:
        assert isinstance(request, socket.socket)  # a datagram for servers of UDP only
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in tuple(self._connections):
            with suppress(OSError):  # the other side has ended it
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def serving(handler: type[BaseRequestHandler], tls: ssl.SSLContext | None = None) -> Generator[int]:
    """The server's port on 127.0.0.1; no thread is left at the end."""
    server = _Server(handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def first_response(
    url: str, process: subprocess.Popen[Any], log: Callable[[], str] = lambda: ""
) -> bytes:
    """The body of the first response of a server that another process starts.

    Raises:
        AssertionError: the process ended, or nothing came in time; carries what it logged.
    """
    bodies: list[bytes] = []

    def has_answered() -> bool:
        assert process.poll() is None, log()
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
                bodies.append(response.read())
        except OSError:
            return False
        return True

    until(has_answered, seconds=START_SECONDS, shown=log)
    return bodies[0]
