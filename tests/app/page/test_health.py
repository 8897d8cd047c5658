from __future__ import annotations

import asyncio

import httpx2
import pytest

from app.client.connection import Connection
from app.client.page.english import ENGLISH
from app.client.page.health import Health, judged, looked_at
from app.client.page.path import advice
from app.client.served import served_model


@pytest.mark.parametrize(
    ("health", "models", "states"),
    [
        (200, 200, ("ok", "ok", "ok")),
        (200, 401, ("ok", "bad", "ok")),
        (503, 401, ("ok", "bad", "bad")),
        (None, 401, ("ok", "bad", "unknown")),
        (503, 503, ("ok", "ok", "bad")),
        (200, 502, ("ok", "ok", "bad")),
        (None, None, ("bad", "unknown", "unknown")),
        (404, 404, ("bad", "unknown", "unknown")),
    ],
)
def test_two_answers_tell_which_part_of_the_path_is_broken(
    health: int | None, models: int | None, states: tuple[str, str, str]
) -> None:
    assert judged(health, models) == states


@pytest.mark.parametrize(
    ("body", "door", "home"),
    [
        ('{"error": {"type": "home_unavailable"}}', "ok", "bad"),
        ("Service Unavailable", "bad", "unknown"),
        ("[]", "bad", "unknown"),
    ],
)
def test_a_gateway_that_did_not_start_is_told_from_a_home_that_is_off(
    body: str, door: str, home: str
) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, text=body)

    async def look() -> Health:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
            return await looked_at(Connection("https://hub.example/v1", "key"), http)

    health = asyncio.run(look())
    assert (health.door, health.home, health.status) == (door, home, 503)
    told = advice(health, "hub.example", ENGLISH)[0][2]
    assert ("The gateway did not start" in told) is (door == "bad")


def test_what_is_broken_is_told_with_what_to_do() -> None:
    down = Health(door="ok", key="ok", home="bad", at=0, seconds=0.1)
    assert [told for _, _, told in advice(down, "hub.example", ENGLISH)] == [
        "",
        "",
        "Off, asleep or starting. Switch it on; then `kubectl -n vlm get pods` should say Running.",
    ]
    away = Health(door="bad", key="unknown", home="unknown", at=0, seconds=0.1)
    assert "Nobody answers at hub.example." in advice(away, "hub.example", ENGLISH)[0][2]
    other = Health(door="bad", key="unknown", home="unknown", status=404, at=0, seconds=0.1)
    assert "hub.example answered 404." in advice(other, "hub.example", ENGLISH)[0][2]


def test_what_answers_is_told_with_its_model() -> None:
    model = served_model({"id": "vlm", "root": "Qwen/Qwen2.5-VL-7B-Instruct"})
    well = Health(door="ok", key="ok", home="ok", served=model, at=0, seconds=0.1)
    assert well.ok
    assert advice(well, "hub.example", ENGLISH)[2][2] == "Serves Qwen/Qwen2.5-VL-7B-Instruct"
