"""Requests as bytes, as no client's library would write them, and the answers on one connection."""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from typing import Any

SECONDS = 10
MOMENT_SECONDS = 0.1
"""More than any answer takes here; a request that is not complete gets none."""
NEXT_REQUEST = b"GET /is-in-step HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes


def exchange(port: int, sent: bytes, answers: int = 1) -> tuple[Sequence[Answer], bool]:
    """The first answers on a connection of its own, and whether it stays in step.

    In step means: the gateway takes what is sent next for a new request, and sends nothing else.

    Raises:
        TimeoutError: the gateway neither answers nor closes the connection.
    """
    with (
        closing(_connected(port)) as connection,
        ThreadPoolExecutor(1) as sender,
    ):
        # An answer that comes before all is sent is lost to who reads it only after that.
        sending = sender.submit(_send, connection, sent)
        reader = _Answers(connection)
        got = [one for _ in range(answers) if (one := reader.next()) is not None]
        sending.result()
        _send(connection, NEXT_REQUEST)
        following = reader.next()
        in_step = following is not None and following.status == 404 and reader.next() is None
        if following is not None and not in_step:
            got.append(following)
        return got, in_step


def answers_until_closed(port: int, sent: bytes) -> list[int]:
    """The statuses on a connection whose client says no more once it has an answer, or waited.

    Raises:
        TimeoutError: the gateway does not close it then.
    """
    with closing(_connected(port)) as connection:
        _send(connection, sent)
        got = b""
        while not _statuses(got) and select.select([connection], [], [], MOMENT_SECONDS)[0]:
            if not (piece := _receive(connection)):
                return _statuses(got)
            got += piece
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while piece := _receive(connection):
            got += piece
        return _statuses(got)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def _statuses(got: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] ([2-9]\d\d) ", got)]


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


def _send(connection: socket.socket, data: bytes) -> None:
    # Refused before all of it was sent: the answer may be there to read.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


class _Answers:
    """Reads one answer after another; ``HTTPResponse`` closes the file that it reads from."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def makefile(self, mode: str) -> _Answers:
        return self

    def close(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def next(self) -> Answer | None:
        """``None`` when the connection has ended."""
        source: Any = self
        response = HTTPResponse(source)
        try:
            response.begin()
        except (HTTPException, ConnectionResetError):
            return None
        try:
            body = response.read()
        except (ConnectionResetError, IncompleteRead):
            body = b""  # the gateway closed without reading the rest of what was sent
        return Answer(response.status, response.headers, body)
