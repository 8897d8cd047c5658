"""A home that records each request as it arrived, and answers 200 at once."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.http_server import Handler

ANSWER = b'{"answered": "at home"}'


@dataclass
class Received:
    """One request, health checks excepted; recorded as soon as its head is there."""

    request: str
    """Method and target, such as ``GET /health``."""
    headers: list[tuple[str, str]]
    body: bytes | None = None
    """``None`` until it has come whole."""

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name.lower()]


def recording(received: list[Received]) -> type[Handler]:
    class RecordingHome(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
            self._record()

        do_POST = do_HEAD = do_GET  # noqa: N815

        def _record(self) -> None:
            one = Received(f"{self.command} {self.path}", list(self.headers.items()))
            if one.values("X-Hub-Key-Id") != ["_health"]:
                received.append(one)
            try:
                one.body = self.body()
                self.whole(200, ANSWER)
            except (ValueError, OSError):
                self.close_connection = True

    return RecordingHome
