from __future__ import annotations

from collections.abc import Generator, Sequence

from streamlit.testing.v1 import AppTest

from app.client.chat import ChatError, Message
from app.client.page import Answer


def page(answer: Answer) -> AppTest:
    # AppTest runs this function's source as a script of its own: nothing outside the body is in
    # scope, so the import is inside and the annotation is a string.
    def script(answer: "Answer") -> None:  # noqa: UP037
        from app.client.page import render  # noqa: PLC0415

        render(answer)

    return AppTest.from_function(script, args=(answer,), default_timeout=20).run()


def echo(messages: Sequence[Message]) -> Generator[str]:
    yield from ("You said: ", messages[-1]["content"][0]["text"])


def down(messages: Sequence[Message]) -> Generator[str]:
    raise ChatError("The server at home does not answer.")
    yield


def test_an_empty_page_says_what_to_do() -> None:
    at = page(echo)
    assert not at.exception
    assert "Ask a question" in at.info[0].value


def test_a_question_and_its_answer_are_shown_and_kept_with_a_log_of_what_happened() -> None:
    at = page(echo)
    at.chat_input[0].set_value("Hello").run()
    assert not at.exception
    assert [m.markdown[0].value for m in at.chat_message] == ["Hello", "You said: Hello"]
    log = [text.value for text in at.sidebar.text]
    assert log[0] == "question sent"
    assert log[1].startswith("first piece after")
    at.run()
    assert len(at.chat_message) == 2


def test_a_failure_is_told_and_forgotten() -> None:
    at = page(down)
    at.chat_input[0].set_value("Hello").run()
    assert not at.exception
    assert at.error[0].value == "The server at home does not answer."
    assert at.session_state["history"] == []
