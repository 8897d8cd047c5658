"""A server at home for tests of the gateway: it can be off, refuse, and tells what it was sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.support.http_server import Handler


@dataclass
class Home:
    """An upstream that can be off, and what it received."""

    received: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    got: list[str] = field(default_factory=list[str])
    """Method and path of what came without a body."""
    on: bool = True
    says: tuple[int, dict[str, str]] | None = None
    """Status and headers of whatever is answered, with a plain text as Traefik's."""
    silent: bool = False
    """Connections are taken, and nothing is said on them until ``release``."""
    lose_health_checks: int = 0
    """That many of the next ones get no answer."""
    release: threading.Event = field(default_factory=threading.Event)
    """Set, when the second piece of a stream may be sent."""
    one_check: threading.Lock = field(default_factory=threading.Lock)
    """On a busy machine the gateway begins a check before the last one has ended."""

    def loses_a_check(self) -> bool:
        with self.one_check:
            lost = self.lose_health_checks > 0
            self.lose_health_checks -= lost
            return lost


def home_handler(home: Home) -> type[Handler]:  # noqa: C901  # one branch for each way to be
    class HomeHandler(Handler):
        def plain(self, status: int, headers: dict[str, str]) -> None:
            self.whole(status, b"words of its own", headers)

        def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
            lost = home.loses_a_check()
            home.got.append(f"{self.command} {self.path}")
            if home.silent:
                home.release.wait(60)
            if home.says is not None:
                self.plain(*home.says)
            elif home.on and not lost:
                self.whole(200, b"{}", {"Access-Control-Allow-Origin": "*"})
            else:
                self.close_connection = True

        def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
            body = self.body()
            if not home.on:
                self.close_connection = True
                return
            home.received.append({**dict(self.headers.items()), "path": self.path})
            if home.silent:
                home.release.wait(60)
            if home.says is not None:
                self.plain(*home.says)
                return
            if b"stream" not in body:
                own = {"X-Request-Id": "a name of home's own", "Access-Control-Allow-Origin": "*"}
                self.whole(200, b'{"ok": true}', own)
                return
            self.begin_events()
            self.piece(b"data: one\n\n")
            home.release.wait(60)
            self.piece(b"data: two\n\n")
            self.piece(b"")

    return HomeHandler
