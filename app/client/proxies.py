"""The proxies that the environment names: httpx2 uses them, a message names their variable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.request import getproxies

import httpx2
from httpx2._utils import URLPattern, get_environment_proxies

from app.client.errors import ClientError


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that requests to an address go through."""

    variable: str
    """As it is spelt in the environment."""
    address: str
    """Without user and password."""

    @property
    def is_http(self) -> bool:
        """Else it speaks SOCKS."""
        return self.address.lower().startswith("http")

    def __str__(self) -> str:
        return f"the proxy {self.address} of {self.variable}"


def proxy_of(url: str) -> Proxy | None:
    """The proxy for an address, if the environment names one.

    By httpx2's own tables, which are not public: NO_PROXY has many forms, such as 100.64.0.0/10,
    and no second reading of it would agree in all of them.
    """
    addresses = {URLPattern(form): address for form, address in get_environment_proxies().items()}
    forms = (form for form in sorted(addresses) if form.matches(httpx2.URL(url)))
    form = next(forms, None)
    if form is None or (address := addresses[form]) is None:
        return None
    return Proxy(_variable(f"{form.scheme or 'all'}_proxy"), _without_password(address))


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
