"""Why a container of the gateway did not start, of all that it wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable

_REASON = re.compile(r'^(?:backend error|Error): |"level":"(?:error|fatal)"(?!.*"logger":"http\.)')
"""Of ``tailscale up``, of Caddy's start, and of Caddy's own log, but for a request's line."""


def last_words(lines: Iterable[str]) -> str:
    """The last line that tells an error; nothing where none does. The oldest line comes first."""
    told = [line.strip() for line in lines if _REASON.search(line)]
    return told[-1][:300] if told else ""
