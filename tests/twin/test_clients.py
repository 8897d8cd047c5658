"""What clients of other people's send, through the whole path to real vLLM."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest

from tests.support.pictures import saved
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest, Patient
from tests.twin.questions import as_data, by_url, chat, first_key, picture
from twin.paths import TwinPaths

pytestmark = pytest.mark.twin

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}},
    },
}


@pytest.fixture
def client(hub: HubUnderTest) -> Generator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{hub.gateway}/v1", api_key=first_key(hub), timeout=120, max_retries=0
    ) as made:
        yield made


def test_the_model_is_found_by_its_name(client: openai.OpenAI) -> None:
    assert client.models.retrieve("vlm").id == "vlm"
    assert [model.id for model in client.models.list()] == ["vlm"]


def test_an_agents_tools_are_taken(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]
    for choice in ("auto", "none"):
        answer = client.chat.completions.create(
            model="vlm", messages=messages, tools=[WEATHER], tool_choice=choice, max_tokens=12
        )
        assert answer.choices[0].finish_reason


def test_the_newer_form_is_answered_whole_and_in_pieces(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="vlm", input="Hello", max_output_tokens=12)
    assert whole.output_text
    with client.responses.stream(model="vlm", input="Hello", max_output_tokens=12) as stream:
        kinds = [event.type for event in stream]
    assert kinds[0] == "response.created"
    assert "response.output_text.delta" in kinds
    assert kinds[-1] in ("response.completed", "response.incomplete")


def test_nothing_of_the_newer_form_is_stored(client: openai.OpenAI, hub: HubUnderTest) -> None:
    first = client.responses.create(model="vlm", input="Hello", max_output_tokens=12, store=True)
    with pytest.raises(openai.APIStatusError) as refused:
        client.responses.create(model="vlm", input="More", previous_response_id=first.id)
    assert 400 <= refused.value.status_code < 500
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        pytest.param(
            chat("word " * 8000), 400, "input_tokens", "context_length_exceeded", id="long"
        ),
        pytest.param(
            chat("word " * 60_000), 400, "input_text", "context_length_exceeded", id="very long"
        ),
        pytest.param(chat("Hi", model="gpt"), 404, "model", "model_not_found", id="model"),
        pytest.param(chat("Hi", temperature=9), 400, "temperature", "invalid_request", id="range"),
        pytest.param(chat("Hi", temperature="x"), 400, "temperature", "invalid_request", id="type"),
        pytest.param(
            chat("Hi", max_tokens=10**6, stream=True),
            *(400, "max_tokens", "invalid_request"),
            id="of a stream",
        ),
    ],
)
def test_a_refusal_has_openais_type_and_code(
    hub: HubUnderTest, body: dict[str, Any], status: int, param: str, code: str
) -> None:
    with hub.http(first_key(hub)) as http:
        answer = http.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert error["message"]


def test_a_conversation_may_have_many_pictures(client: openai.OpenAI) -> None:
    colours = ("red", "green", "blue", "yellow", "orange")
    content: Any = [
        *(picture(64, 64, colour) for colour in colours),
        {"type": "text", "text": "What is this?"},
    ]
    answer = client.chat.completions.create(
        model="vlm", messages=[{"role": "user", "content": content}], max_tokens=12
    )
    assert answer.choices[0].message.content


def test_thirty_questions_at_once_with_one_key_wait_their_turn(hub: HubUnderTest) -> None:
    def ask(_: int) -> int:
        while (answer := http.post("/v1/chat/completions", json=chat("Hi"))).status_code == 429:
            # The tests before may have used up this minute's requests, on a fast machine.
            assert answer.json()["error"]["code"] == "rate_limit_exceeded", "they are too many"
            time.sleep(float(answer.headers["Retry-After"]))
        return answer.status_code

    with hub.http(hub.api_keys()["robot"]) as http, ThreadPoolExecutor(30) as people:
        assert set(people.map(ask, range(30))) == {200}


def test_a_question_that_fails_at_the_model_server_does_not_fail_the_next(
    hub: HubUnderTest,
) -> None:
    # vLLM closes the connection after a 500 without saying so.
    nameless = chat(
        "Hello",
        tools=[{"type": "function"}],
        tool_choice={"type": "function", "function": {"name": "search"}},
    )
    with hub.http(first_key(hub), Patient) as http, ThreadPoolExecutor(4) as people:
        for _ in range(5):
            for body, status in ((nameless, 500), (chat("Hello"), 200)):
                route = "/v1/chat/completions"
                asked = [people.submit(http.post, route, json=body) for _ in range(4)]
                assert [one.result().status_code for one in asked] == [status] * 4


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "file:///nothing/../etc/passwd", "ftp://127.0.0.1/x.png"),
        *("http://127.0.0.1/x.png", "http://169.254.169.254/", "http://home/health"),
        *("data:image/png;base64,AAAA", "data:image/png;base64,***", ""),
        *("data:text/plain;base64,aGVsbG8=", "data:image/png,%89PNG", "data:,"),
        pytest.param(as_data(saved("AVIF")[:-40], "image/avif"), id="an AVIF that was cut"),
    ],
)
def test_a_picture_that_is_none_or_lies_elsewhere_is_a_clients_mistake(
    hub: HubUnderTest, url: str
) -> None:
    with hub.http(hub.api_keys()["robot"]) as http:
        answer = http.post("/v1/chat/completions", json=by_url(url))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_monitor_may_ask_for_the_head_only(hub: HubUnderTest) -> None:
    with hub.http(first_key(hub)) as http:
        for path in ("/health", "/v1/models"):
            answer = http.head(path)
            assert (answer.status_code, answer.content) == (200, b"")


def test_too_many_questions_are_refused_in_openais_form(hub: HubUnderTest) -> None:
    with hub.http(hub.api_keys()["robot"]) as http, ThreadPoolExecutor(50) as people:
        asked = [people.submit(http.get, "/v1/models") for _ in range(150)]
        refused: list[httpx2.Response] = [
            one.result() for one in asked if one.result().status_code != 200
        ]
    assert {answer.status_code for answer in refused} == {429}
    for answer in refused:
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        assert answer.headers["retry-after"] == "1"


def test_what_each_key_asked_for_is_counted(hub: HubUnderTest) -> None:
    rows: list[dict[str, Any]] = json.loads(hub.ok("usage", "--json"))["requests"]

    def of(key: str, what: str) -> float:
        """On both days, should it be midnight."""
        return sum(row[what] for row in rows if row["key"] == key)

    assert of("laptop", "answered") >= 20
    assert of("robot", "refused") >= 10  # too many at once, and pictures that are none
    assert of("laptop", "megabytes") > 0


def test_an_answer_is_logged_with_how_it_crossed_the_tailnet(hub: HubUnderTest) -> None:
    logs = TwinPaths(hub.state).logs / "run"

    def tunnel(request_id: str) -> str | None:
        """Empty in an instance's first second; none until the line is written."""
        text = "".join(log.read_text() for log in logs.glob("*-caddy.log"))
        lines = [line for line in text.splitlines() if f'"request_id":"{request_id}"' in line]
        return json.loads(lines[0])["tunnel"] if lines else None

    with hub.http(first_key(hub)) as http:

        def crossed() -> str | None:
            request_id = http.get("/v1/models").headers["x-request-id"]
            until(lambda: tunnel(request_id) is not None)
            return tunnel(request_id)

        until(lambda: crossed() == "direct")


def test_the_minutes_of_the_instances_that_answered_are_counted(hub: HubUnderTest) -> None:
    used = json.loads(hub.ok("usage", "--json"))
    minutes = sum(day["minutes"] for day in used["instances"])
    assert sum(day["starts"] for day in used["instances"]) >= 1
    assert minutes > 0
    assert sum(month["minutes"] for month in used["months"]) == pytest.approx(minutes)
    assert {month["region"] for month in used["months"]} == {"asia-northeast3"}
