"""Where the service is and with which key."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from app.client.errors import ClientError

HOW = (
    "Give base_url and api_key, or set OPENAI_BASE_URL and OPENAI_API_KEY, or run where "
    "`pulumi stack output` shows the stack that is deployed."
)


@dataclass(frozen=True, slots=True)
class Connection:
    """The public door and a key for it."""

    base_url: str
    """Ends in ``/v1``."""
    api_key: str = field(repr=False)

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
        """From the arguments, else the environment, else the outputs of the selected Pulumi stack.

        Raises:
            ClientError: one of the two is nowhere to be found.
        """
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        api_key = api_key or os.environ.get("OPENAI_API_KEY")
        if not base_url or not api_key:
            outputs = _stack_outputs()
            base_url = base_url or f"{outputs['gatewayUrl']}/v1"
            api_key = api_key or next(iter(outputs["apiKeys"].values()))
        return cls(base_url.strip().rstrip("/"), api_key.strip())


def _stack_outputs() -> dict[str, Any]:
    try:
        shown = subprocess.run(
            ["pulumi", "stack", "output", "--json", "--show-secrets", "--non-interactive"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except FileNotFoundError:
        raise ClientError(f"No address or no API key is set. {HOW}") from None
    except subprocess.TimeoutExpired:
        raise ClientError(f"`pulumi stack output` did not end in 60 s. {HOW}") from None
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines()[-1:]
        raise ClientError(f"`pulumi stack output` failed: {' '.join(said)}. {HOW}") from None
    outputs: dict[str, Any] = json.loads(shown.stdout)
    if not outputs.get("gatewayUrl") or not outputs.get("apiKeys"):
        raise ClientError(f"The selected Pulumi stack is not deployed. {HOW}")
    return outputs
