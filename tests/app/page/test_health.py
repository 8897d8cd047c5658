from __future__ import annotations

import pytest

from app.client.page.english import ENGLISH
from app.client.page.health import Health, judged
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
