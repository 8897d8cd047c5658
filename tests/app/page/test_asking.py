from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from app.client.connection import Connection
from app.client.grounding.found import Box
from app.client.page import asking as module
from app.client.page import service as page_service
from app.client.page.answer import failure_title
from app.client.page.asking import Asking
from app.client.page.conversation import conversation
from app.client.page.english import ENGLISH
from app.client.page.log import as_html, lines
from app.client.page.samples import sample
from app.client.page.service import Service
from app.client.page.turns import Question, Turn
from app.client.request import Options
from app.client.served import served_model
from tests.app.page.fake_service import KEY, FakeService
from tests.support.waiting import until


@pytest.fixture
def reached(service: FakeService) -> Generator[Service]:
    started = Service(Connection(service.url, KEY))
    yield started
    started.close()


def ended(asking: Asking) -> Turn:
    until(lambda: not asking.running)
    return asking.so_far()


def ask(reached: Service, text: str, *earlier: Turn) -> Asking:
    return Asking(reached, Question(mode="chat", text=text), earlier, Options())


def test_an_answer_comes_with_the_steps_of_its_request(reached: Service) -> None:
    asking = ask(reached, "hello")
    turn = ended(asking)
    assert (turn.answer, turn.ending) == ("You said: hello", "whole")
    told = [line.partition(" s  ")[2] for line in lines(asking.events, ENGLISH)]
    assert told[0].startswith("request sent, 0.")
    assert told[1].startswith("accepted after ")
    assert told[2:5] == ["request req-1", "gateway: 2 ms", "upstream: 21 ms"]
    assert told[-2] == "321 tokens read, 2 written"


def test_boxes_are_there_before_the_answer_is_whole(reached: Service, service: FakeService) -> None:
    service.boxes = 1
    asked = Question(mode="boxes", text="red square", pictures=(sample(0),))
    asking = Asking(reached, asked, (), Options())

    def boxes() -> Sequence[Box]:
        found = asking.so_far().detection
        return found.boxes if found else ()

    until(boxes)
    assert asking.running
    assert [box.label for box in boxes()] == ["red square"]
    asking.stop()


@pytest.mark.parametrize("question", ["stuck", "endless"])
def test_stopping_closes_the_connection_wherever_the_request_is(
    reached: Service, service: FakeService, question: str
) -> None:
    asking = ask(reached, question)
    service.until(lambda fake: fake.asked)
    asking.stop()
    service.until(lambda fake: question in fake.left)
    assert not asking.running
    assert asking.so_far().ending == "stopped"


def test_an_answer_that_nobody_looks_at_is_stopped(
    reached: Service, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNWATCHED_SECONDS", 0.2)
    ask(reached, "endless")
    service.until(lambda fake: "endless" in fake.left)


def test_a_failure_is_an_ending_with_words_and_a_status(reached: Service) -> None:
    turn = ended(ask(reached, "error 413"))
    assert (turn.ending, turn.status) == ("failed", 413)
    assert "Send a smaller picture." in turn.trouble


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("error 503 home_unavailable", "The machine at home does not answer"),
        ("error 502 home_lost", "The machine at home does not answer"),
        ("error 503 home_waking", "The machine at home is being woken"),
        ("error 502 home_misconfigured", "The machine at home does not accept this gateway"),
        ("error 503 model_unavailable", "The model is not ready"),
        ("error 503", "There is no answer"),
        ("error 504", "There is no answer"),
        ("error 401", "The key was refused"),
        ("error 413", "The picture is too large"),
        ("error 429", "Too many questions at once"),
    ],
)
def test_a_failure_has_the_title_of_its_cause(reached: Service, question: str, title: str) -> None:
    assert failure_title(ended(ask(reached, question)), ENGLISH) == title


def test_half_an_answer_is_kept_with_what_broke_it(reached: Service) -> None:
    turn = ended(ask(reached, "broken"))
    assert turn.ending == "failed"
    assert turn.answer == "You said: broken"
    assert "broke" in turn.trouble


def test_an_answer_cut_by_the_token_limit_says_so(reached: Service) -> None:
    assert ended(ask(reached, "long")).ending == "cut"


def test_the_model_is_told_what_was_answered_and_sees_the_last_two_pictures_only() -> None:
    def turn(text: str, ending: str = "whole") -> Turn:
        question = Question(mode="chat", text=text, pictures=(sample(0),))
        return Turn.model_validate({"question": question, "answer": f"A {text}", "ending": ending})

    earlier = [turn("one"), turn("two"), turn("failed", "failed"), turn("stopped", "stopped")]
    served = served_model({"id": "vlm", "root": "x"})
    asked = Question(mode="chat", text="now", pictures=(sample(1),))
    messages = conversation(earlier, asked, served, lambda _: None)
    told = [
        m["content"] if isinstance(m["content"], str) else [p.get("text", "") for p in m["content"]]
        for m in messages
    ]
    assert told == [["one"], "A one", ["two"], "A two", ["", "stopped"], "A stopped", ["", "now"]]


@pytest.mark.parametrize(
    ("earlier", "now", "sent"), [(1, 2, [0, 2]), (2, 1, [1, 1]), (2, 0, [2, 0]), (0, 2, [0, 2])]
)
def test_the_last_two_pictures_may_be_of_one_question(
    earlier: int, now: int, sent: list[int]
) -> None:
    before = Question(mode="chat", text="one", pictures=(sample(0), sample(1))[:earlier])
    told = Turn(question=before, answer="A", ending="whole")
    asked = Question(mode="chat", text="now", pictures=(sample(2), sample(0))[:now])
    served = served_model({"id": "vlm", "root": "x"})
    first, _, last = conversation([told], asked, served, lambda _: None)
    parts: list[Any] = [first["content"], last["content"]]
    assert [0 if isinstance(p, str) else len(p) - 1 for p in parts] == sent
    if sent == [1, 1]:
        [url] = [p["image_url"]["url"] for p in parts[0] if p["type"] == "image_url"]
        later = before.model_copy(update={"pictures": before.pictures[1:]})
        [alone] = conversation([], later, served, lambda _: None)
        assert url == alone["content"][0]["image_url"]["url"]


@pytest.mark.parametrize(("known_seconds", "model"), [(1000, "first"), (0, "second")])
def test_what_a_look_saw_of_the_model_holds_for_a_moment(
    service: FakeService,
    reached: Service,
    known_seconds: float,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page may stand open for days, and the model at home be another one."""
    monkeypatch.setattr(page_service, "KNOWN_SECONDS", known_seconds)
    service.model = "first"
    reached.look()
    service.until(lambda _: reached.health)
    service.model = "second"
    assert reached.start(reached.served()).result(20).model == model


def test_a_look_along_the_path_tells_which_model_is_served(
    reached: Service, service: FakeService
) -> None:
    reached.look()
    service.until(lambda fake: reached.health)
    assert reached.health
    assert reached.health.ok
    assert reached.health.served
    assert reached.health.served.model == "personal-cloud-hub/tiny-vl"


def test_what_a_log_tells_cannot_become_a_part_of_the_page() -> None:
    assert as_html(["<b>"]) == '<ol class="hub-log" role="log"><li>&lt;b&gt;</li></ol>'
