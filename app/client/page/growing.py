"""The answer under way, drawn again up to five times a second while the rest of the page stays."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.client.page import clock, scroll
from app.client.page.answer import show_answer
from app.client.page.asking import Asking
from app.client.page.log import as_html, lines
from app.client.page.redrawn import redrawn
from app.client.page.session import session
from app.client.page.texts import Texts

EVERY_SECONDS = 0.2


def growing(texts: Texts) -> None:
    """Always in the same place, and empty when nothing is under way: the history, which grows, is
    not to come to lie where the browser still draws an answer.
    """
    mine = session()
    under_way = mine.asking
    redrawn("growing", partial(so_far, texts, under_way))
    if under_way is not None:
        scroll.to_newest(len(mine.turns))


def so_far(texts: Texts, drawn: Asking | None, again: bool) -> None:  # noqa: FBT001
    """Of the answer under way.

    ``drawn`` is what was under way when the whole page was drawn, ``again`` as :func:`redrawn`
    tells it.
    """
    mine = session()
    under_way = mine.asking
    if under_way is None:
        st.empty()
        # The page does not show the end yet, or its browser was not sent the page that does.
        if drawn is not None or (again and clock.late()):
            st.rerun()
        return
    if not under_way.running:
        mine.keep(under_way, texts)
        st.rerun()
    turn = under_way.so_far()
    with st.chat_message("assistant", avatar=":material/memory:"):
        if not turn.answer:
            st.caption(texts.thinking)
        show_answer(turn, texts)
        label = texts.log_running.format(seconds=under_way.seconds)
        st.status(label, expanded=True).html(as_html(lines(under_way.events, texts)))
        icon = ":material/stop:"
        st.button(texts.stop, type="primary", icon=icon, on_click=mine.stop, args=(texts,))
    clock.tick("next word", EVERY_SECONDS)  # last, as it takes room
