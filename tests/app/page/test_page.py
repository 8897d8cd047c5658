"""One run of the script at a time, without a browser."""
# ruff: noqa: PLC0415  # what AppTest runs as a script imports for itself

from __future__ import annotations

import time
from collections.abc import Generator

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, ScriptRunner, get_script_run_ctx
from streamlit.testing.v1 import AppTest

from app.client.page import clock, password
from app.client.page.clock import Drawn
from app.client.page.samples import sample
from app.client.page.session import Session
from tests.app.page.fake_service import KEY, FakeService
from tests.app.page.served_page import MAIN
from tests.support.waiting import until

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def environment(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    st.cache_resource.clear()
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("HUB_CLIENT_PASSWORD", raising=False)
    yield
    st.cache_resource.clear()


def opened() -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=30).run()
    assert not at.exception
    return at


def held(at: AppTest) -> Session:
    return at.session_state["session"]


def is_asking(at: AppTest) -> bool:
    asking = held(at).asking
    return asking is not None and asking.running


def answered(at: AppTest) -> AppTest:
    def is_answered() -> bool:
        if held(at).asking is not None:
            at.run()
        return held(at).asking is None

    until(is_answered)
    return at


def test_a_page_without_a_key_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("PATH", "")
    at = opened()
    assert at.title[0].value == "The page does not know its service"
    assert "OPENAI_BASE_URL" in at.info[0].value
    assert not at.chat_input


def test_ten_sessions_at_once_have_each_their_own_conversation(service: FakeService) -> None:
    sessions = [opened() for _ in range(10)]
    for number, at in enumerate(sessions):
        at.chat_input[0].set_value(f"held number {number}").run()
    service.until(lambda fake: len(fake.asked) == 10)
    assert all(is_asking(at) for at in sessions)
    service.go_on = True
    for number, at in enumerate(sessions):
        answered(at)
        [turn] = held(at).turns
        assert turn.question.text == f"held number {number}"
        assert turn.answer.endswith("word19 ")
    assert len(service.asked) == 10, "and nobody asked twice"


@pytest.fixture
def another_run_began_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """In each run, before it draws anything: it is not told again what was said and clicked."""

    def take_back(**_: object) -> None:
        run = get_script_run_ctx()
        assert run is not None
        run.session_state.on_script_finished(frozenset(), remove_stale_widgets=False)

    monkeypatch.setattr(st, "set_page_config", take_back)


def press(at: AppTest, label: str) -> None:
    [found] = [button for button in at.button if button.label == label]
    found.click().run()
    assert not at.exception


CUT_OFF = pytest.mark.usefixtures("another_run_began_meanwhile")


@CUT_OFF
def test_a_question_is_not_lost() -> None:
    at = opened()
    at.chat_input[0].set_value("hello").run()
    answered(at)
    assert [turn.question.text for turn in held(at).turns] == ["hello"]


@CUT_OFF
def test_an_offered_question_and_a_new_conversation_are_not_lost() -> None:
    at = opened()
    press(at, "What is in this picture?")
    answered(at)
    assert len(held(at).turns) == 1
    press(at, "New conversation")
    assert held(at).turns == ()


@CUT_OFF
def test_a_stop_is_not_lost(service: FakeService) -> None:
    at = opened()
    at.chat_input[0].set_value("endless").run()
    service.until(lambda fake: fake.asked)
    press(at, "Stop")
    service.until(lambda fake: "endless" in fake.left)
    assert [turn.ending for turn in held(at).turns] == ["stopped"]
    assert held(at).asking is None


@CUT_OFF
def test_a_look_at_the_path_is_not_lost(service: FakeService) -> None:
    at = opened()
    # A look that is still under way is not begun again.
    service.until(lambda fake: fake.looks == 1 and [s.value for s in at.run().success] != [])
    press(at, "Look now")
    service.until(lambda fake: fake.looks == 2)


@CUT_OFF
def test_a_sample_picture_is_not_lost() -> None:
    at = opened()
    press(at, "Sample pictures")
    press(at, "Use 2")
    assert held(at).attached == (sample(1),)
    assert "Use 2" not in [button.label for button in at.button]


@CUT_OFF
def test_a_password_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CLIENT_PASSWORD", PASSWORD)
    at = opened()
    at.text_input[0].set_value(PASSWORD)
    press(at, "Enter")
    assert at.chat_input


def test_a_pages_last_word_is_its_own_number_whatever_the_history() -> None:
    at = opened()
    for question in ("hello", "again"):
        at.chat_input[0].set_value(question).run()
        answered(at)
    at.run()
    drawn = at.session_state["drawn"].number
    written = [html.proto.body for html in at.get("html") if "data-hub-page" in html.proto.body]
    assert written == [f'<span data-hub-page="{drawn}"></span>']


def test_a_new_question_stops_the_one_under_way(service: FakeService) -> None:
    at = opened()
    at.chat_input[0].set_value("endless").run()
    service.until(lambda fake: fake.asked)
    at.chat_input[0].set_value("hello").run()
    service.until(lambda fake: "endless" in fake.left)
    answered(at)
    assert [turn.ending for turn in held(at).turns] == ["stopped", "whole"]


def test_a_question_is_asked_once_wherever_its_run_is_stopped(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the person does next: it stops the run at any of its looks into Streamlit's state."""
    original = ScriptRunner._maybe_handle_execution_control_request  # pyright: ignore[reportPrivateUsage]
    at = opened()
    mine, looks, stopped_at = held(at), 0, 0

    def look(runner: ScriptRunner) -> None:
        nonlocal looks
        if mine.given or (looks and not mine.asking and not mine.turns):
            looks += 1
            if looks == stopped_at:
                runner.request_rerun(RerunData())
        original(runner)

    monkeypatch.setattr(ScriptRunner, "_maybe_handle_execution_control_request", look)
    while looks >= stopped_at:
        looks, stopped_at = 0, stopped_at + 1
        mine.turns = ()
        at.chat_input[0].set_value(f"hello {stopped_at}").run()
        answered(at)
        assert [turn.ending for turn in mine.turns] == ["whole"]
    assert service.questions == [f"hello {number}" for number in range(1, stopped_at + 1)]
    assert stopped_at > 10


def test_a_password_is_asked_for_and_nothing_is_shown_before_it(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_CLIENT_PASSWORD", PASSWORD)
    monkeypatch.setattr(password, "DELAY_SECONDS", 0.3)
    at = opened()
    assert not at.chat_input
    assert service.looks == 0
    begun = time.monotonic()
    at.text_input[0].set_value("guess")
    at.button[0].click().run()
    assert time.monotonic() - begun >= 0.3
    assert at.error[0].value == "That is not the password."
    assert not at.chat_input
    at.text_input[0].set_value(PASSWORD)
    at.button[0].click().run()
    assert at.chat_input
    assert not at.text_input


@pytest.mark.parametrize(("late_seconds", "runs"), [(3600, 1), (0, 2)])
def test_a_browser_that_was_not_sent_the_last_page_is_sent_it_again_once_it_is_late(
    late_seconds: float, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that it asks, it would be sent none: a new page takes the place of the last."""

    def script() -> None:
        import streamlit as st

        from app.client.page.english import ENGLISH
        from app.client.page.growing import so_far

        st.session_state["runs"] = st.session_state.get("runs", 0) + 1
        so_far(ENGLISH, None, again=st.session_state["runs"] == 1)

    monkeypatch.setattr(clock, "LATE_SECONDS", late_seconds)
    at = AppTest.from_function(script, default_timeout=30)
    at.session_state["drawn"] = Drawn(3, at=time.monotonic())
    at.run()
    assert not at.exception
    assert at.session_state["runs"] == runs


def test_a_page_is_late_by_the_time_since_its_end() -> None:
    """On a busy machine to draw it takes long, too."""

    def script() -> None:
        import time

        import streamlit as st

        from app.client.page import clock

        number = clock.begin()
        st.session_state["in the middle"] = time.monotonic()
        clock.end(number)

    at = AppTest.from_function(script, default_timeout=30).run()
    assert not at.exception
    assert at.session_state["drawn"].at > at.session_state["in the middle"]


@pytest.mark.parametrize(
    ("shown", "seconds", "lost"), [(3, 6, False), (2, 6, True), (2, 4, False), (0, 6, True)]
)
def test_a_page_is_lost_that_the_browser_does_not_show_after_five_seconds(
    shown: int, seconds: float, lost: bool
) -> None:
    assert Drawn(3, at=100).lost(shown, now=100 + seconds) is lost
