"""What one person's session holds; nothing of it is shared with another."""

from __future__ import annotations

from typing import cast

import streamlit as st

from app.client.page.asking import Asking
from app.client.page.log import lines
from app.client.page.service import Service
from app.client.page.texts import Texts
from app.client.page.turns import Question, Turn
from app.client.request import Options
from app.model.profiles import CoordSpace


def turns() -> tuple[Turn, ...]:
    return cast("tuple[Turn, ...]", st.session_state.setdefault("turns", ()))


def replace_turns(new: tuple[Turn, ...]) -> None:
    st.session_state["turns"] = new


def asking() -> Asking | None:
    """The question under way."""
    return cast("Asking | None", st.session_state.get("asking"))


def ask(service: Service, question: Question, options: Options, texts: Texts) -> None:
    """Put a question; one that is under way is stopped and kept as far as it came."""
    stop(texts)
    space = cast("CoordSpace | None", st.session_state.get("coord_space"))
    st.session_state["asking"] = Asking(service, question, turns(), options, space)


def stop(texts: Texts) -> None:
    if (under_way := asking()) is not None:
        under_way.stop()
        keep(under_way, texts)


def keep(ended: Asking, texts: Texts) -> None:
    """Move what was asked from "under way" to the history."""
    turn = ended.so_far()
    log = lines(ended.events, texts)
    if turn.ending == "stopped":
        log = (*log, f"{ended.seconds:6.2f} s  {texts.log_stopped}")
    replace_turns((*turns(), turn.model_copy(update={"log": log})))
    st.session_state["asking"] = None


def keep_given(widget: str) -> None:
    """Keep what was given to a widget until the page takes it; for the widget's callback.

    Whatever a person does on the page begins in a callback: what they do next stops this run, which
    then never comes to read the widget, and the next one is not told again (Streamlit 1.67).
    """
    st.session_state[f"given to {widget}"] = st.session_state[widget]


def take_given(widget: str) -> object | None:
    """What was kept, once."""
    return st.session_state.pop(f"given to {widget}", None)


def last_picture() -> bytes | None:
    """Of the conversation."""
    pictures = [picture for turn in turns() for picture in turn.question.pictures]
    return pictures[-1] if pictures else None


def attached() -> tuple[bytes, ...]:
    """Pictures that wait for the next question."""
    return cast("tuple[bytes, ...]", st.session_state.setdefault("attached", ()))


def attach(*pictures: bytes) -> None:
    """In place of those that waited."""
    st.session_state["attached"] = pictures
