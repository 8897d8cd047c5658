"""What the page says before anything was asked."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.client.page.answer import show_picture
from app.client.page.samples import sample
from app.client.page.texts import Texts
from app.client.page.turns import Question


def welcome(texts: Texts, ask: Callable[[Question], None]) -> None:
    """Three questions that can be asked with one click."""
    st.subheader(texts.welcome, anchor=False)
    st.write(texts.hint)
    boxes = texts.try_boxes.format(what=texts.try_what)
    points = texts.try_points.format(what=texts.try_points_what)
    offered = [
        (texts.try_describe, Question(mode="chat", text=texts.try_describe, pictures=(sample(0),))),
        (boxes, Question(mode="boxes", text=texts.try_what, pictures=(sample(1),))),
        (points, Question(mode="points", text=texts.try_points_what, pictures=(sample(2),))),
    ]
    for column, (label, question) in zip(st.columns(len(offered)), offered, strict=True):
        with column:
            show_picture(question.picture or b"")
            st.button(label, on_click=ask, args=(question,), width="stretch", wrap=True)
