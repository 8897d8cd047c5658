"""How the gateway proves itself at home, and what it then says there of a request.

It sends one random key, which Traefik checks as HTTP Basic.
"""

from __future__ import annotations

import base64
import hashlib

GATEWAY_USER = "gateway"
KEY_ID_HEADER = "X-Hub-Key-Id"
"""The client's name, set by the gateway, which has checked the client's key. Home's limits count
by it. Members of the tailnet reach home's port 80, too, so Traefik first asks for the gateway's
key (the middleware ``gateway-only``)."""


def password_line(key: str) -> str:
    """The gateway's line in a password file.

    SHA-1 without salt is enough for a random key of over 256 bits, and costs nothing per request.
    """
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
    return f"{GATEWAY_USER}:{{SHA}}{base64.b64encode(digest).decode()}"


def authorization(key: str) -> str:
    """What the gateway sends in place of the client's ``Authorization``."""
    return f"Basic {base64.b64encode(f'{GATEWAY_USER}:{key}'.encode()).decode()}"
