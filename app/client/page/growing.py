"""The answer under way, drawn again five times a second while the rest of the page stays."""

from __future__ import annotations

import streamlit as st

from app.client.page import scroll, session
from app.client.page.answer import show_answer
from app.client.page.log import as_html, lines
from app.client.page.texts import Texts

EVERY_SECONDS = 0.2


def growing(texts: Texts) -> None:
    """Always in the same place, and empty when nothing is under way: the browser may ask for this
    piece of the page once more when the whole page has been drawn since, and must then find it
    and not the history, which has grown into where it was.
    """
    under_way = session.asking()
    every = EVERY_SECONDS if under_way is not None else None
    with st.container(key="growing"):
        st.fragment(_answer, run_every=every)(texts)
    if under_way is not None:
        scroll.to_newest(len(session.turns()))


def _answer(texts: Texts) -> None:
    under_way = session.asking()
    if under_way is None:
        st.empty()
        return
    if not under_way.running:
        session.keep(under_way, texts)
        st.rerun()
    turn = under_way.so_far()
    with st.chat_message("assistant", avatar=":material/memory:"):
        if not turn.answer:
            st.caption(texts.thinking)
        show_answer(turn, texts)
        label = texts.log_running.format(seconds=under_way.seconds)
        st.status(label, expanded=True).html(as_html(lines(under_way.events, texts)))
        if st.button(texts.stop, type="primary", icon=":material/stop:"):
            session.stop(texts)
            st.rerun()
