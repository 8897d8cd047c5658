"""The answer under way, drawn again five times a second while the rest of the page stays."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from app.client.page import clock, scroll, session
from app.client.page.answer import show_answer
from app.client.page.log import as_html, lines
from app.client.page.redrawn import redrawn
from app.client.page.texts import Texts

EVERY_SECONDS = 0.2


def growing(texts: Texts) -> None:
    """Always in the same place, and empty when nothing is under way: the history, which grows, is
    not to come to lie where the browser still draws an answer.
    """
    under_way = session.asking()
    every = EVERY_SECONDS if under_way is not None else None
    redrawn("growing", every, partial(so_far, texts))
    if under_way is not None:
        scroll.to_newest(len(session.turns()))


def stands_still() -> bool:
    """Whether an answer is under way and the browser does not ask for more of it: it was sent the
    page without the timer, which Streamlit (1.67) loses now and then on a busy machine.
    """
    late = time.monotonic() - st.session_state.get("grown", 0) > clock.LATE_SECONDS
    return session.asking() is not None and late


def so_far(texts: Texts, again: bool) -> None:  # noqa: FBT001
    """Of the answer under way; ``again`` as :func:`redrawn` tells it."""
    st.session_state["grown"] = time.monotonic()
    under_way = session.asking()
    if under_way is None:
        st.empty()
        if again:
            st.rerun()  # the browser has not seen the page with the whole answer
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
        icon = ":material/stop:"
        st.button(texts.stop, type="primary", icon=icon, on_click=session.stop, args=(texts,))
