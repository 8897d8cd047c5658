"""The client against a service that answers, and one that fails in every way a real one does."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.client import (
    AsyncClient,
    Box,
    Client,
    ClientError,
    Connection,
    Options,
    ServiceError,
    Timeouts,
    asynchronous,
    chat,
)
from app.client.errors import NotConnectedError
from app.client.events import Accepted, Event, Finished, FirstToken, PictureReady, Sent, Waiting
from app.client.request import question
from app.client.served import served_models
from app.model.image_tokens import Size
from tests.app.client.fake_service import FakeService, https_service
from tests.app.client.unasync import SOURCE, TARGET, one_threaded
from tests.support.ports import free_port
from tests.support.waiting import until_async

QUICK = Timeouts(connect=5, first_byte=0.3, between_bytes=0.3, patience=0)
HELLO = [question("Hello")]
PICTURE = np.zeros((480, 640, 3), np.uint8)


def jpeg(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    return file.getvalue()


Told = list[Event]
Ask = Callable[[Connection, Timeouts, Told], str]


def ask_in_a_thread(connection: Connection, timeouts: Timeouts, told: Told) -> str:
    with Client(connection, timeouts=timeouts) as client:
        return "".join(client.stream(HELLO, on_event=told.append))


def ask_in_a_loop(connection: Connection, timeouts: Timeouts, told: Told) -> str:
    async def run() -> str:
        async with AsyncClient(connection, timeouts=timeouts) as client:
            return "".join([piece async for piece in client.stream(HELLO, on_event=told.append)])

    return asyncio.run(run())


@pytest.fixture(params=[ask_in_a_thread, ask_in_a_loop])
def ask(request: pytest.FixtureRequest) -> Ask:
    return request.param


def test_an_answer_comes_piece_by_piece(service: FakeService) -> None:
    with Client(service.connection) as client:
        assert list(client.stream(HELLO)) == ["Hi", " there"]
    assert service.keys == ["Bearer sk-test"] * 2  # what is served, and the question


def test_what_is_asked_is_exactly_this(service: FakeService) -> None:
    options = Options(system_prompt="Be brief.", temperature=0.5, max_tokens=7, schema={"a": 1})
    with Client(service.connection) as client:
        list(client.stream(HELLO, options))
    assert service.asked == [
        {
            "model": "vlm",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
            ],
            "temperature": 0.5,
            "max_tokens": 7,
            "stream": True,
            "stream_options": {"include_usage": True},
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"a": 1}},
            },
        }
    ]


def test_each_step_of_a_request_is_told(service: FakeService, ask: Ask) -> None:
    service.headers = {"x-request-id": "r-1", "Server-Timing": "home;dur=250, gpu;desc=x;dur=1.5"}
    told: Told = []
    assert ask(service.connection, Timeouts(), told) == "Hi there"
    sent, accepted, first, finished = told
    assert sent == Sent(service.lengths[0])
    assert isinstance(accepted, Accepted)
    assert (accepted.request_id, accepted.hops) == ("r-1", {"home": 0.25, "gpu": 0.0015})
    assert isinstance(first, FirstToken)
    assert isinstance(finished, Finished)
    assert accepted.seconds <= first.seconds <= finished.seconds
    assert (finished.prompt_tokens, finished.completion_tokens) == (11, 2)
    assert finished.finish_reason == "stop"
    assert finished.tokens_per_second is not None


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (400, {}, "refused the question (400): told by the server"),
        (401, {}, "not valid here, or it was revoked"),
        (403, {}, "does not let this network in (403). Use another network, or ask"),
        (404, {}, "told by the server Is the address right?"),
        (413, {}, "larger than the gateway takes. Send a smaller picture"),
        (429, {}, "Too many requests with this key"),
        (502, {}, "told by the server Try again"),
        (503, {"Retry-After": "30"}, "Try again in 30 s"),
        (504, {}, "Try again later"),
    ],
)
def test_a_refusal_is_told_in_words(
    service: FakeService, ask: Ask, status: int, headers: dict[str, str], words: str
) -> None:
    service.refusals = [(status, headers)]
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert words in str(error.value)
    assert error.value.status == status


@pytest.mark.parametrize("text", [b"Service Unavailable\n", b"<html>503</html>", b""])
def test_a_gateway_that_did_not_start_is_not_told_as_a_home_that_is_off(
    service: FakeService, ask: Ask, text: bytes
) -> None:
    service.in_its_place = (503, text)
    with pytest.raises(ServiceError) as error:
        ask(service.connection, Timeouts(patience=0.1), [])
    told = str(error.value)
    assert told.startswith(
        "The service is not available (503). If this is the gateway on Cloud Run, "
    )
    assert "`pulumi up --refresh` renews it" in told
    assert "home does not answer" not in told


def test_a_request_that_took_too_long_is_not_told_as_a_gateway_that_did_not_start(
    service: FakeService, ask: Ask
) -> None:
    service.in_its_place = (504, b"upstream request timeout\n")
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert str(error.value) == (
        "The service ended the request because it took too long (504; our gateway allows 300 s, or "
        "what cloud.timeoutSeconds says). Ask for fewer tokens, or with fewer or smaller pictures."
    )
    assert error.value.status == 504


@pytest.mark.parametrize("code", ["model_unavailable", None])
def test_an_error_has_the_services_own_code(
    service: FakeService, ask: Ask, code: str | None
) -> None:
    service.code, service.refusals = code, [(503, {})]
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert error.value.code == code


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("model_failed", "It failed. Try again later."),
        ("x", "refused the question (500): It failed."),
    ],
)
def test_a_fault_at_home_is_no_refusal(
    service: FakeService, ask: Ask, code: str, told: str
) -> None:
    service.code, service.message = code, "It failed."
    service.refusals = [(500, {})]
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert str(error.value).endswith(told)


@pytest.mark.parametrize("code", ["overloaded", None])
def test_another_services_refusal_is_not_told_as_a_home_that_is_off(
    service: FakeService, ask: Ask, code: str | None
) -> None:
    service.code, service.message = code, "Too busy."
    service.refusals = [(503, {"Retry-After": "30"})]
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert str(error.value) == "The service is not available (503): Too busy. Try again in 30 s."


def test_the_model_that_is_asked_is_the_one_that_is_served(service: FakeService, ask: Ask) -> None:
    service.card["id"] = "gemma-4"
    service.other_cards = [{"id": "my-adapter", "parent": "gemma-4"}]
    assert ask(service.connection, QUICK, []) == "Hi there"
    assert [asked["model"] for asked in service.asked] == ["gemma-4"]


def test_an_adapter_is_asked_if_it_is_named_and_has_the_numbers_of_its_base(
    service: FakeService, ask: Ask
) -> None:
    service.card |= {"root": "Qwen/Qwen2.5-VL-7B-Instruct", "max_model_len": 8192}
    service.other_cards = [{"id": "my-adapter", "parent": "vlm", "root": "/adapters/my"}]
    connection = Connection(service.url, "sk-test", "my-adapter")
    assert ask(connection, QUICK, []) == "Hi there"
    assert [asked["model"] for asked in service.asked] == ["my-adapter"]
    with Client(connection) as client:
        served = client.served()
    assert (served.model, served.coord_space) == ("/adapters/my", "pixels")
    assert served.max_model_len == 8192


def test_a_named_model_is_asked_though_the_service_has_no_list(
    service: FakeService, ask: Ask
) -> None:
    service.listing_refusals = [(404, {"detail": "Not Found"}, {})] * 3
    assert ask(Connection(service.url, "sk-test", "mine"), QUICK, []) == "Hi there"
    assert [asked["model"] for asked in service.asked] == ["mine"]
    with Client(Connection(service.url, "sk-test", "Qwen3-VL")) as client:
        assert client.served().coord_space == "thousandths"
    with pytest.raises(ServiceError, match="The service does not have this"):
        ask(service.connection, QUICK, [])


def test_of_several_models_one_has_to_be_chosen(service: FakeService, ask: Ask) -> None:
    service.other_cards = [{"id": "other"}]
    with pytest.raises(ServiceError, match=r"several models: vlm, other\. Choose one"):
        ask(service.connection, QUICK, [])
    ask(Connection(service.url, "sk-test", "other"), QUICK, [])
    assert [asked["model"] for asked in service.asked] == ["other"]
    with pytest.raises(ServiceError, match=r"has no model third\. It has: vlm, other"):
        ask(Connection(service.url, "sk-test", "third"), QUICK, [])


def test_a_question_may_name_its_model(service: FakeService) -> None:
    service.listing = b"none"
    with Client(service.connection) as client:
        list(client.stream(HELLO, Options(model="mine")))
    assert [asked["model"] for asked in service.asked] == ["mine"]


def test_a_conversation_that_is_too_long_is_told_as_that(service: FakeService, ask: Ask) -> None:
    service.refusals = [(400, {})]
    service.message = "This model's maximum context length is 4096 tokens."
    with pytest.raises(ServiceError, match=r"longer than the model can read\. Start a new one"):
        ask(service.connection, QUICK, [])


def test_what_was_refused_before_it_began_is_asked_again_after_the_time_given(
    service: FakeService, ask: Ask
) -> None:
    service.refusals = [(503, {"Retry-After": "0"}), (429, {"Retry-After": "1"})]
    told: Told = []
    assert ask(service.connection, Timeouts(patience=5), told) == "Hi there"
    assert len(service.asked) == 3
    waits = [event for event in told if isinstance(event, Waiting)]
    assert [(wait.seconds, wait.attempt) for wait in waits] == [(0.5, 1), (1, 2)]
    assert "told by the server Try again" in waits[0].reason


def test_nobody_waits_longer_than_their_patience(service: FakeService, ask: Ask) -> None:
    service.refusals = [(503, {"Retry-After": "30"})] * 2
    with pytest.raises(ServiceError) as error:
        ask(service.connection, Timeouts(patience=20), [])
    assert error.value.retry_after == 30
    assert len(service.asked) == 1


def test_who_says_at_once_for_ever_is_given_up_on(service: FakeService, ask: Ask) -> None:
    service.refusals = [(503, {"Retry-After": "0"})] * 10
    with pytest.raises(ServiceError):
        ask(service.connection, Timeouts(patience=1), [])
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 500, 502, 504])
def test_what_may_have_been_worked_on_is_not_asked_again(
    service: FakeService, ask: Ask, status: int
) -> None:
    service.refusals = [(status, {"Retry-After": "0"})] * 2
    with pytest.raises(ServiceError):
        ask(service.connection, Timeouts(patience=20), [])
    assert len(service.asked) == 1


def test_an_answer_that_broke_off_is_not_asked_for_again(service: FakeService, ask: Ask) -> None:
    service.break_off = True
    with pytest.raises(ServiceError, match="broke before the answer was whole"):
        ask(service.connection, Timeouts(patience=20), [])
    assert len(service.asked) == 1


def test_an_answer_that_ends_without_its_end_is_not_taken_for_whole(
    service: FakeService, ask: Ask
) -> None:
    service.end_early = True
    told: Told = []
    with pytest.raises(ServiceError, match=r"before it was whole\. Ask again; .* ends in /v1\."):
        ask(service.connection, QUICK, told)
    assert not any(isinstance(event, Finished) for event in told)


@pytest.mark.parametrize(
    "listing", [b"<html>Log in</html>", b'{"object": "list", "data": []}', b'{"object":', b"[]"]
)
def test_an_address_that_is_no_services_is_told(service: FakeService, listing: bytes) -> None:
    service.listing = listing
    with Client(service.connection) as client, pytest.raises(ServiceError, match="no list of mod"):
        client.served()

    async def run() -> None:
        async with AsyncClient(service.connection) as client:
            await client.served()

    with pytest.raises(ServiceError, match="no list of models"):
        asyncio.run(run())


def test_nobody_listening_is_told_after_trying_again(ask: Ask) -> None:
    nobody = Connection(f"http://127.0.0.1:{free_port()}/v1", "sk-test")
    told: Told = []
    with pytest.raises(NotConnectedError) as error:
        ask(nobody, Timeouts(connect=1, patience=1), told)
    assert str(error.value).startswith(f"Nobody takes connections at {nobody.base_url} (")
    assert str(error.value).endswith(
        "Check the address and that this machine is online; if both are right, the service is down."
    )
    assert [event.seconds for event in told if isinstance(event, Waiting)] == [1]


def test_a_name_that_no_machine_has_is_told(ask: Ask) -> None:
    with pytest.raises(ServiceError, match=r"No machine has the name in http://hub\.invalid"):
        ask(Connection("http://hub.invalid/v1", "sk-test"), QUICK, [])


def test_silence_before_the_answer_ends_after_the_time_for_the_first_byte(
    service: FakeService, ask: Ask
) -> None:
    service.silent_before = True
    timeouts = Timeouts(first_byte=0.3, between_bytes=30, patience=0)
    with pytest.raises(ServiceError, match=r"Nothing came for 0\.3 s"):
        ask(service.connection, timeouts, [])
    assert service.left.wait(10)


def test_silence_within_the_answer_ends_after_the_time_between_bytes(
    service: FakeService, ask: Ask
) -> None:
    service.silent_after = True
    timeouts = Timeouts(first_byte=30, between_bytes=0.4, patience=0)
    with pytest.raises(ServiceError, match=r"Nothing came for 0\.4 s"):
        ask(service.connection, timeouts, [])
    assert service.left.wait(10)


def test_who_stops_reading_closes_the_connection(service: FakeService) -> None:
    service.silent_after = True
    with Client(service.connection) as client:
        answer = client.stream(HELLO)
        assert next(answer) == "Hi"
        answer.close()
        assert service.left.wait(10), "the server works on for nobody"


def test_a_cancelled_task_closes_the_connection_before_the_first_byte(
    service: FakeService,
) -> None:
    service.silent_before = True

    async def run() -> None:
        async with AsyncClient(service.connection) as client:
            asking = asyncio.create_task(client.ask("Hello"))
            await until_async(lambda: service.asked)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await asyncio.to_thread(service.left.wait, 10)

    asyncio.run(run())


def detect_in_a_thread(connection: Connection, image: Any = PICTURE, **more: Any) -> Any:
    with Client(connection) as client:
        return client.detect(image, "red square", **more)


def detect_in_a_loop(connection: Connection, image: Any = PICTURE, **more: Any) -> Any:
    async def run() -> Any:
        async with AsyncClient(connection) as client:
            return await client.detect(image, "red square", **more)

    return asyncio.run(run())


@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
def test_boxes_come_back_in_the_pixels_of_the_picture_that_was_given(
    service: FakeService, detect: Callable[..., Any]
) -> None:
    service.pieces = ['[{"bbox_2d": [0, 42, 126', ', 168], "label": "red square"}]']
    told: Told = []
    found = detect(service.connection, on_event=told.append)
    raw = '{"bbox_2d": [0, 42, 126, 168], "label": "red square"}'
    assert found.boxes == (Box("red square", (0, 120, 320, 480), raw),)
    assert found.picture == (640, 480)
    assert isinstance(told[0], PictureReady)
    assert (told[0].original, told[0].sent) == (Size(640, 480), Size(252, 168))
    [asked] = service.asked
    assert asked["messages"][0]["content"][1]["text"] == (
        "Locate every red square in the image and output the bbox coordinates in JSON format."
    )
    schema = asked["response_format"]["json_schema"]["schema"]
    assert schema["items"]["required"] == ["bbox_2d", "label"]


@pytest.fixture
def always_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (asynchronous, chat):
        monkeypatch.setattr(module, "KNOWN_SECONDS", 0)


THOUSANDTHS = "Qwen/Qwen3-VL-8B-Instruct"
"""Another model than the fake's first one, whose coordinates are pixels."""


@pytest.mark.usefixtures("always_looked_up")
@pytest.mark.parametrize("image", [PICTURE, io.BytesIO(jpeg(PICTURE))])
@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
def test_a_model_that_was_changed_while_a_question_waited_is_asked_and_read_as_what_it_is(
    service: FakeService, detect: Callable[..., Any], image: Any
) -> None:
    if isinstance(image, io.BytesIO):
        image.seek(0)
    service.pieces = ['[{"bbox_2d": [0, 0, 500, 500], "label": "red square"}]']
    service.refusals = [(503, {"Retry-After": "0"})]
    told: Told = []

    def change(event: Event) -> None:
        told.append(event)
        if isinstance(event, Waiting):
            service.card["root"] = THOUSANDTHS

    found = detect(service.connection, image, on_event=change)
    assert [box.xyxy for box in found.boxes] == [(0, 0, 320, 240)]
    prepared = [event.sent for event in told if isinstance(event, PictureReady)]
    assert prepared == [Size(252, 168), Size(644, 476)]
    first, second = (asked["messages"][0]["content"][0] for asked in service.asked)
    assert first != second


@pytest.mark.parametrize(
    ("known_seconds", "looked_up", "box"),
    [(0, 2, (0, 0, 320, 240)), (1000, 1, (0, 0, 640, 480))],
)
def test_what_is_served_is_looked_up_again_once_it_may_have_changed(
    service: FakeService,
    known_seconds: float,
    looked_up: int,
    box: tuple[float, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat, "KNOWN_SECONDS", known_seconds)
    service.pieces = ['[{"bbox_2d": [0, 0, 500, 500], "label": "red square"}]']
    with Client(service.connection) as client:
        client.detect(PICTURE, "red square")
        service.card["root"] = THOUSANDTHS
        found = client.detect(PICTURE, "red square")
    assert len(service.keys) - len(service.asked) == looked_up
    assert [one.xyxy for one in found.boxes] == [box]


def test_a_question_in_words_looks_nothing_up_twice(
    service: FakeService, always_looked_up: None
) -> None:
    with Client(service.connection) as client:
        for _ in range(3):
            list(client.stream(HELLO))
    assert len(service.keys) - len(service.asked) == 1


@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
@pytest.mark.parametrize(
    ("count", "problems"),
    [
        (49, ()),
        (50, ("what may be there beyond 50 places, as many as an answer may have",)),
    ],
)
def test_an_answer_that_is_full_is_told_as_such(
    service: FakeService, detect: Callable[..., Any], count: int, problems: tuple[str, ...]
) -> None:
    squares = [{"bbox_2d": [0, 0, 1, 1 + n], "label": "red square"} for n in range(count)]
    service.pieces = [json.dumps(squares)]
    found = detect(service.connection, coord_space="thousandths")
    assert (len(found.boxes), found.problems) == (count, problems)
    [asked] = service.asked
    assert asked["response_format"]["json_schema"]["schema"]["maxItems"] == 50


@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
def test_where_a_limit_has_cut_the_answer_its_last_number_is_no_number_and_it_is_told(
    service: FakeService, detect: Callable[..., Any]
) -> None:
    service.pieces = ["red square: x1: 10, y1: 20, x2: 30, ", "y2: 40"]
    [box] = detect(service.connection).boxes
    assert (box.label, box.raw) == ("red square", "x1: 10, y1: 20, x2: 30, y2: 40")
    service.finish_reason = "length"
    found = detect(service.connection)
    assert found.boxes == ()
    assert found.problems == (
        "the answer may break off inside a number: x1: 10, y1: 20, x2: 30, y2: 40",
        "what may have followed: the answer reached its limit of tokens",
    )


@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
def test_a_home_that_starts_is_waited_for_from_the_first_thing_asked(
    service: FakeService, detect: Callable[..., Any]
) -> None:
    service.listing_refusals = [(503, {}, {"Retry-After": "0"})]
    service.pieces = ["[]"]
    told: Told = []
    assert detect(service.connection, on_event=told.append).boxes == ()
    assert isinstance(told[0], Waiting)


def test_a_certificate_that_is_not_trusted_is_told_at_once(ask: Ask) -> None:
    with https_service() as connection:
        told: Told = []
        with pytest.raises(ServiceError, match=r"no certificate that .* trusts .* SSL_CERT_FILE"):
            ask(connection, Timeouts(patience=20), told)
    assert not any(isinstance(event, Waiting) for event in told)


def test_a_machine_that_takes_no_connection_is_told_after_the_time_for_that(ask: Ask) -> None:
    """Its queue is full: what is sent to it is lost, as behind a firewall."""
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)  # noqa: FBT003
            one.connect_ex(full.getsockname())
        closed = Connection(f"http://127.0.0.1:{full.getsockname()[1]}/v1", "sk-test")
        begun = time.monotonic()
        with pytest.raises(ServiceError, match=r"did not take a connection in 0\.3 s"):
            ask(closed, Timeouts(connect=0.3, first_byte=20, patience=0), [])
    assert time.monotonic() - begun < 10  # the words alone would be the same after 20 s


def test_points_are_asked_for_and_read(service: FakeService) -> None:
    service.pieces = ['[{"point_2d": [126, 84], "label": "red square"}]']
    found = detect_in_a_thread(service.connection, points=True)
    assert [(p.label, p.xy) for p in found.points] == [("red square", (320, 240))]
    assert "Point to every red square" in service.asked[0]["messages"][0]["content"][1]["text"]


def test_thousandths_are_not_taken_for_pixels(service: FakeService) -> None:
    service.card["root"] = "Qwen/Qwen3-VL-8B-Instruct"
    service.pieces = ['[{"bbox_2d": [0, 500, 250, 1000], "label": "x"}]']
    [box] = detect_in_a_thread(service.connection).boxes
    assert box.xyxy == (0, 240, 160, 480)


@pytest.mark.parametrize("detect", [detect_in_a_thread, detect_in_a_loop])
def test_coordinates_of_an_unknown_model_are_not_guessed(
    service: FakeService, detect: Callable[..., Any]
) -> None:
    service.card["root"] = "someone/new-vl"
    service.pieces = ['[{"bbox_2d": [0, 500, 250, 1000], "label": "x"}]']
    with pytest.raises(ClientError, match="coordinates of someone/new-vl count is not known"):
        detect(service.connection)
    assert service.asked == []
    [box] = detect(service.connection, coord_space="thousandths").boxes
    assert box.xyxy == (0, 240, 160, 480)


@pytest.mark.parametrize(
    ("model", "space"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", "pixels"),
        ("/models/qwen2.5-vl-72b-awq", "pixels"),
        ("Qwen/Qwen2-VL-7B-Instruct", "thousandths"),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", "thousandths"),
        ("OpenGVLab/InternVL3-8B", "thousandths"),
        ("google/gemma-3-12b-it", None),
    ],
)
def test_what_a_models_coordinates_count_is_known_by_its_name(model: str, space: Any) -> None:
    [served] = served_models({"data": [{"id": "vlm", "root": model}]})
    assert served.coord_space == space


def test_the_client_for_one_thread_is_the_one_for_a_loop() -> None:
    """`python -m tests.app.client.unasync` writes it anew."""
    assert TARGET.read_text() == one_threaded(SOURCE.read_text())


def test_a_question_about_a_picture_has_it_first_and_in_the_models_size(
    service: FakeService,
) -> None:
    with Client(service.connection) as client:
        assert client.ask("What is it?", PICTURE) == "Hi there"
        assert client.ask("And now?") == "Hi there"
    first, second = service.asked
    image, text = first["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert text == {"type": "text", "text": "What is it?"}
    assert second["messages"][0]["content"] == [{"type": "text", "text": "And now?"}]
