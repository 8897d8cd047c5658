"""The proxies that the environment names: httpx2 uses them, a message names their variable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from app.client.errors import ClientError


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that requests to an address go through."""

    variable: str
    """As it is spelt in the environment."""
    address: str
    """Without user and password."""

    def __str__(self) -> str:
        return f"the proxy {self.address} of {self.variable}"


def proxy_of(url: str) -> Proxy | None:
    """The proxy for an address, if the environment names one."""
    parts = urlsplit(url)
    proxies = getproxies()
    if proxy_bypass(parts.netloc, proxies):
        return None
    for scheme in (parts.scheme, "all"):
        if proxies.get(scheme):
            return Proxy(_variable(f"{scheme}_proxy"), _without_password(proxies[scheme]))
    return None


def unusable(url: str, error: Exception) -> ClientError:
    """Of a proxy whose address cannot be used at all; also if it is not the one for ``url``."""
    others = (
        Proxy(_variable(f"{scheme}_proxy"), _without_password(address))
        for scheme, address in getproxies().items()
        if scheme != "no"
    )
    proxy = proxy_of(url) or next(others, Proxy("The environment", "?"))
    return ClientError(
        f"{proxy.variable} names no proxy that can be used: {proxy.address} ({error}). A proxy's "
        "address begins with http://, https:// or socks5://. Correct or unset the variable."
    )


HOW_TO_AVOID = "Correct or unset the variable, or name the service's host in NO_PROXY."


def _variable(name: str) -> str:
    found = (key for key, value in os.environ.items() if key.lower() == name and value)
    return next(found, name.upper())


def _without_password(address: str) -> str:
    scheme, _, rest = address.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if "@" in rest else address
