"""The page's script, which Streamlit runs from top to bottom, each time somebody does something."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.client.connection import Connection
from app.client.errors import ClientError
from app.client.page import clock, languages, password, session, written
from app.client.page.answer import show_question, show_turn
from app.client.page.composer import composer
from app.client.page.growing import growing
from app.client.page.path import banner, path
from app.client.page.service import Service
from app.client.page.settings import history, settings
from app.client.page.texts import Texts
from app.client.page.turns import Question
from app.client.page.welcome import welcome


@st.cache_resource(show_spinner=False, on_release=Service.close)
def service() -> Service:
    """One for all sessions.

    Raises:
        ClientError: the page does not know where the service is.
    """
    return Service(Connection.find())


def main() -> None:
    texts = languages.texts()
    here = Path(__file__)
    st.set_page_config(page_title=texts.title, page_icon=str(here.with_name("icon.svg")))
    st.html(here.with_name("style.css"))
    if not password.passed(texts):
        return
    try:
        page(service(), texts)
    except ClientError as error:
        st.title(texts.not_set_up)
        st.error(written.plain(str(error)))
        st.info(texts.not_set_up_help)


def page(reached: Service, texts: Texts) -> None:
    """For somebody who may see it."""
    number = clock.begin()
    with st.sidebar:
        path(reached, texts)
        options = settings(reached, texts)

    def ask(question: Question) -> None:
        session.ask(reached, question, options, texts)

    st.title(texts.title, anchor=False)
    st.caption(texts.subtitle)
    banner(reached, texts)
    composer(texts, ask)
    mine = session.session()
    turns, under_way = mine.turns, mine.asking
    with st.container(key="conversation"):
        if not turns and under_way is None:
            welcome(texts, ask)
        for place, turn in enumerate(turns):
            show_turn(turn, place, texts, ask)
        if under_way is not None:
            show_question(under_way.question, texts)
    growing(texts)
    with st.sidebar:
        history(texts)
    clock.end(number)


if __name__ == "__main__":
    main()
