"""Which part of the path answers: the gateway, the key, the machine at home."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

import httpx2

from app.client.connection import Connection
from app.client.errors import ServiceError
from app.client.failures import TRANSPORT_FAILURES, code_of, in_gateways_form
from app.client.served import ServedModel, chosen, served_model, served_models

State = Literal["ok", "bad", "unknown"]
HOME_DOWN = (502, 503, 504)
"""What the gateway answers for a home that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look along the path."""

    door: State
    key: State
    home: State
    status: int | None = None
    """What a door answered that is not this service's."""
    code: str | None = None
    """What the gateway calls the reason why home does not answer; docs/api.md has the list."""
    served: ServedModel | None = None
    at: float
    """``time.monotonic()`` at its end."""
    seconds: float
    """How long it took."""

    @property
    def ok(self) -> bool:
        """Nothing is known to be broken; a service without a list of models tells no more."""
        return self.door == "ok" and "bad" not in (self.key, self.home)


async def looked_at(connection: Connection, http: httpx2.AsyncClient) -> Health:
    """Ask the two routes that cost the model no work."""
    begun = time.monotonic()
    root = connection.base_url.removesuffix("/v1")
    bearer = {"Authorization": f"Bearer {connection.api_key}"}
    health, models = await asyncio.gather(
        _asked(http, f"{root}/health"), _asked(http, f"{connection.base_url}/models", bearer)
    )
    door, key, home = judged(_gateways_status(health), _gateways_status(models))
    served = _served(models, connection.model)
    if _status(models) == 404 and connection.model is not None:  # asked all the same
        door, served = "ok", served_model({"id": connection.model})
    now = time.monotonic()
    return Health(
        door=door,
        key=key,
        home=home,
        status=_status(models),
        code=_code(models) or _code(health),
        served=served,
        at=now,
        seconds=now - begun,
    )


def judged(health: int | None, models: int | None) -> tuple[State, State, State]:
    """Of door, key and home, by the two routes' statuses; ``None`` is no answer at all.

    The gateway checks the key before it asks home, so a home that is down means a key that is
    accepted. ``/health`` needs no key, so it tells of home also when the key is refused.
    """
    if models in (401, 403):
        home: State = "ok" if health == 200 else "bad" if health in HOME_DOWN else "unknown"
        return "ok", "bad", home
    if models in HOME_DOWN:
        return "ok", "ok", "bad"
    if models == 200:
        return "ok", "ok", "ok"
    return "bad", "unknown", "unknown"


async def _asked(
    http: httpx2.AsyncClient, url: str, headers: dict[str, str] | None = None
) -> httpx2.Response | None:
    try:
        return await http.get(url, headers=headers)
    except (*TRANSPORT_FAILURES, httpx2.InvalidURL):
        return None


def _status(response: httpx2.Response | None) -> int | None:
    return None if response is None else response.status_code


def _code(response: httpx2.Response | None) -> str | None:
    """Of an answer about home: a key that is refused has a code, too."""
    if response is None or response.status_code not in HOME_DOWN:
        return None
    return code_of(response)


def _gateways_status(response: httpx2.Response | None) -> int | None:
    """``None`` as well for Google's answer in place of a gateway that did not start."""
    if response is None or (response.status_code in HOME_DOWN and not in_gateways_form(response)):
        return None
    return response.status_code


def _served(response: httpx2.Response | None, model: str | None) -> ServedModel | None:
    if response is None or response.status_code != 200:
        return None
    try:
        return chosen(served_models(response.json()), model)
    except (ValueError, ServiceError):
        return None
