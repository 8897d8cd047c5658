from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from app.client.connection import Connection
from app.client.page.english import ENGLISH
from app.client.page.health import Health, judged, looked_at
from app.client.page.path import advice
from app.client.page.written import plain
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


def look(answer: Callable[[httpx2.Request], httpx2.Response], model: str | None = None) -> Health:
    async def at_it() -> Health:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
            return await looked_at(Connection("https://hub.example/v1", "key", model), http)

    return asyncio.run(at_it())


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

    health = look(answer)
    assert (health.door, health.home, health.status) == (door, home, 503)
    told = advice(health, "hub.example", ENGLISH)[0][2]
    assert ("If it is the gateway on Cloud Run, it did not start" in told) is (door == "bad")


def test_what_is_broken_is_told_with_what_to_do() -> None:
    down = Health(door="ok", key="ok", home="bad", at=0, seconds=0.1)
    assert [told for _, _, told in advice(down, "hub.example", ENGLISH)] == [
        "",
        "",
        "Off, asleep or starting. Switch it on; then `kubectl -n vlm get pods` should say Running.",
    ]
    away = Health(door="bad", key="unknown", home="unknown", at=0, seconds=0.1)
    assert (
        f"Nobody answers at {plain('hub.example')}." in advice(away, "hub.example", ENGLISH)[0][2]
    )
    other = Health(door="bad", key="unknown", home="unknown", status=404, at=0, seconds=0.1)
    assert f"{plain('hub.example')} answered 404." in advice(other, "hub.example", ENGLISH)[0][2]


@pytest.mark.parametrize(
    ("models", "code", "told"),
    [
        (503, "home_unavailable", "Off, asleep or starting. Switch it on"),
        (503, "model_unavailable", "It is on, and its model server does not answer"),
        (502, "home_misconfigured", "It answers, but does not accept this gateway."),
        (401, "model_unavailable", "It is on, and its model server does not answer"),
    ],
)
def test_what_is_advised_for_home_depends_on_what_the_gateway_says_of_it(
    models: int, code: str, told: str
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        status = models if request.url.path == "/v1/models" else 503
        said = "invalid_api_key" if status == 401 else code
        return httpx2.Response(status, json={"error": {"code": said}})

    home = advice(look(answer), "hub.example", ENGLISH)[2]
    assert home[1] == "bad"
    assert home[2].startswith(told)


def test_what_answers_is_told_with_its_model() -> None:
    model = served_model({"id": "vlm", "root": "Qwen/Qwen2.5-VL-7B-Instruct"})
    well = Health(door="ok", key="ok", home="ok", served=model, at=0, seconds=0.1)
    assert well.ok
    assert (
        advice(well, "hub.example", ENGLISH)[2][2]
        == f"Serves {plain('Qwen/Qwen2.5-VL-7B-Instruct')}"
    )


@pytest.mark.parametrize("model", ["gpt", None])
def test_a_service_without_a_list_of_models_is_usable_where_one_is_named(model: str | None) -> None:
    health = look(lambda _: httpx2.Response(404, text="Not Found"), model)
    rows = advice(health, "hub.example", ENGLISH)
    if model is None:
        assert not health.ok
        assert rows[0][2].startswith(f"{plain('hub.example')} answered 404.")
        return
    assert health.ok
    assert [state for _, state, _ in rows] == ["ok", "unknown", "unknown"]
    assert rows[2][2] == (
        "The service has no list of models (404), so only an answer can tell. gpt is asked, as "
        "`OPENAI_MODEL` says."
    )
    assert health.served is not None
    assert health.served.name == "gpt"


def test_a_named_model_does_not_hide_what_is_broken() -> None:
    assert not look(lambda _: httpx2.Response(401), "gpt").ok
    assert not look(lambda _: httpx2.Response(500), "gpt").ok
