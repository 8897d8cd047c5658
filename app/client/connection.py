"""Where the service is and with which key."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Self

import httpx2

from app.client.errors import ClientError

HOW = "Give base_url and api_key, or set OPENAI_BASE_URL and OPENAI_API_KEY."


@dataclass(frozen=True, slots=True)
class Connection:
    """The public door and a key for it."""

    base_url: str
    """Ends in ``/v1``."""
    api_key: str = field(repr=False)
    model: str | None = None
    """Which of the service's models to ask; ``None`` where it has only one."""

    def __post_init__(self) -> None:
        """Neither can be sent otherwise.

        Raises:
            ClientError: the address is no URL, or the key has what no header takes.
        """
        try:
            address = httpx2.URL(self.base_url)
            usable = address.scheme in ("http", "https") and bool(address.host)
        except (httpx2.InvalidURL, UnicodeError):
            usable = False
        if not usable:
            raise ClientError(
                f"{self.base_url} is no address of a service; it begins with https://."
            )
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ClientError("The API key has letters that no key has. Copy it again, whole.")

    @classmethod
    def find(cls, base_url: str | None = None, api_key: str | None = None) -> Self:
        """From the arguments, else OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL.

        Raises:
            ClientError: the address or the key is nowhere to be found.
        """
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        api_key = api_key or os.environ.get("OPENAI_API_KEY")
        if not base_url or not api_key:
            raise ClientError(f"No address or no API key is set. {HOW}")
        model = os.environ.get("OPENAI_MODEL") or None
        return cls(base_url.strip().rstrip("/"), api_key.strip(), model)
