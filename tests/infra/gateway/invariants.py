"""What holds for everything that reaches home, however it was asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from tests.support.gateway import API_KEYS
from tests.support.recording_home import Received

LISTED = re.compile(
    r"POST /v1/(chat/completions|completions|responses)([?].*)?|GET /(health|v1/models)([?].*)?",
    re.DOTALL,
)
OF_ONE_HOP = (
    *("Upgrade", "HTTP2-Settings", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive"),
    "Connection",
)


def check_received(received: Iterable[Received], names: Collection[str]) -> None:
    """``names``: of the keys that were used; a stranger's is empty."""
    for one in received:
        assert LISTED.fullmatch(one.request), one
        assert one.values("Authorization") == ["Basic upstream"], one
        assert one.values("Host") == ["home"], one
        assert one.values("X-Forwarded-For") == ["127.0.0.1"], one  # of the gateway's inner hop
        [name] = one.values("X-Hub-Key-Id")
        assert name in names, one
        assert name or one.request.startswith("GET /health"), one
        assert [field for field in OF_ONE_HOP if one.values(field)] == [], one
        sent = str(one.headers)
        assert not any(key in sent for key in API_KEYS.values()), one
