"""One gateway that is measured: how it is started, and where it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from twin.network import End
from twin.parts.part import Part

UPSTREAM_PORT = 9000
"""At home, on loopback, as every port here but the whole tunnel's."""
API_KEY = "k" * 43
KEY_ID = "robot"
BODY_MB = 20


@dataclass(frozen=True)
class Candidate:
    name: str
    port: int
    parts: tuple[Part, ...] = ()
    """Its processes; their memory is read."""
    helpers: tuple[Part, ...] = ()
    """More of them, which say nothing about the gateway's memory."""
    end: End = "home"
    """Where it listens on loopback, and where its client runs."""
    key: str = API_KEY
    is_slow: bool = False
    """Measured longer at 50 requests at once, and in every second round."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"
