"""A person asks on the whole path: browser's protocol, gateway, tunnel, real vLLM."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key, picture, red_square_and_blue_circle

pytestmark = pytest.mark.twin


def test_a_text_question_through_the_public_door_comes_back_as_a_stream(hub: HubUnderTest) -> None:
    with (
        hub.http(first_key(hub)) as http,
        http.stream("POST", "/v1/chat/completions", json=chat("Hello", stream=True)) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert events[-1] == "[DONE]"
    pieces = [json.loads(event) for event in events[:-1] if not event.startswith(":")]
    assert len(pieces) > 2, "a stream has more than one piece"


def test_an_image_costs_as_many_prompt_tokens_as_the_models_own_rule_says(
    hub: HubUnderTest,
) -> None:
    question = {"type": "text", "text": "What is this?"}
    with hub.http(first_key(hub)) as http:
        plain = http.post("/v1/chat/completions", json=chat([question])).json()
        seen = http.post("/v1/chat/completions", json=chat([picture(640, 480), question])).json()
    # 640x480 becomes 252x168 for the small model: 9 by 6 tokens, and one marker on each side.
    assert seen["usage"]["prompt_tokens"] - plain["usage"]["prompt_tokens"] == 54 + 2


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many circles are there?", "There is one circle."),
        ("Describe this picture.", "I see a red square and a blue circle."),
        ("How many shapes are there?", "There are two shapes."),
    ],
)
def test_hub_ask_streams_the_right_answer_about_a_picture(
    hub: HubUnderTest, tmp_path: Path, question: str, answer: str
) -> None:
    file = tmp_path / "picture.png"
    red_square_and_blue_circle().save(file)
    assert hub.ok("ask", question, "--image", str(file)) == f"{answer}\n"


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer", "Basic abc"])
def test_without_a_valid_key_the_door_says_401(
    hub: HubUnderTest, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx2.post(
        f"{hub.gateway}/v1/chat/completions", headers=headers, json=chat("Hello"), timeout=60
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["type"]


def test_only_the_allow_listed_routes_exist(hub: HubUnderTest) -> None:
    with hub.http(first_key(hub)) as http:
        assert http.get("/v1/models").status_code == 200
        for path in ("/metrics", "/tokenize", "/invocations", "/docs", "/v1/embeddings"):
            assert http.post(path, json={}).status_code == 404, path
