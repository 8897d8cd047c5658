"""Where a question is made: its words, its picture, and how it is to be answered."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.client.images import SUFFIXES
from app.client.page import session
from app.client.page.answer import preview
from app.client.page.samples import SEEDS, sample
from app.client.page.texts import Texts
from app.client.page.turns import MODES, Mode, Question


def composer(texts: Texts, ask: Callable[[Question], None]) -> None:
    """At the bottom of the window, whatever the page's length."""
    with st.bottom:
        with st.container(horizontal=True, vertical_alignment="center", key="tools"):
            mode = _mode(texts)
            # In windows of their own: the camera is asked for only when somebody wants it.
            if st.button(texts.camera, icon=":material/photo_camera:", key="camera"):
                st.dialog(texts.take_photo)(_take_photo)(texts)
            if st.button(texts.samples, icon=":material/image:", key="samples"):
                st.dialog(texts.samples)(_choose_sample)(texts)
        _attached(texts)
        prompts = {"chat": texts.ask_chat, "boxes": texts.ask_boxes, "points": texts.ask_points}
        said = st.chat_input(
            prompts[mode], key="composer", accept_file=True, file_type=SUFFIXES, max_chars=8000
        )
    if said is None:
        return
    picture = said.files[0].getvalue() if said.files else st.session_state.get("picture")
    if mode != "chat":
        picture = picture or session.last_picture()
        if picture is None:
            st.warning(texts.no_picture)
            return
    st.session_state["picture"] = None
    ask(Question(mode=mode, text=said.text or texts.try_describe, picture=picture))
    st.rerun()


def _mode(texts: Texts) -> Mode:
    names: dict[Mode, str] = {
        "chat": texts.mode_chat,
        "boxes": texts.mode_boxes,
        "points": texts.mode_points,
    }
    return st.segmented_control(
        texts.mode,
        MODES,
        default="chat",
        required=True,
        format_func=names.__getitem__,
        key="mode",
        label_visibility="collapsed",
    )


def _take_photo(texts: Texts) -> None:
    photo = st.camera_input(texts.take_photo, label_visibility="collapsed")
    if photo is not None and st.button(texts.use_photo, type="primary"):
        _attach(photo.getvalue())
        st.rerun()


def _choose_sample(texts: Texts) -> None:
    for number, column in enumerate(st.columns(len(SEEDS))):
        with column:
            st.image(preview(sample(number)))
            name = texts.use_sample.format(number=number + 1)
            if st.button(name, key=f"sample-{number}", width="stretch"):
                _attach(sample(number))
                st.rerun()


def _attach(picture: bytes) -> None:
    st.session_state["picture"] = picture


def _attached(texts: Texts) -> None:
    picture = st.session_state.get("picture")
    if picture is None:
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="attached"):
        st.image(preview(picture), width=64)
        st.caption(texts.attached)
        st.button(
            texts.remove, on_click=_attach, args=(None,), icon=":material/close:", key="remove"
        )
