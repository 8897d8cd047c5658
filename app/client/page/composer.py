"""Where a question is made: its words, its picture, and how it is to be answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import streamlit as st
from streamlit.elements.widgets.chat import ChatInputValue

from app.client.images import SUFFIXES
from app.client.page.answer import show_picture
from app.client.page.conversation import PICTURES
from app.client.page.samples import SEEDS, sample
from app.client.page.session import Session, keep_given, session
from app.client.page.texts import Texts
from app.client.page.turns import MODES, Mode, Question

Window = Literal["camera", "samples"]


def composer(texts: Texts, ask: Callable[[Question], None]) -> None:
    """At the bottom of the window, whatever the page's length."""
    mine = session()
    with st.bottom:
        with st.container(horizontal=True, vertical_alignment="center", key="tools"):
            mode = _mode(texts)
            # In windows of their own: the camera is asked for only when somebody wants it.
            camera, photo = texts.camera, ":material/photo_camera:"
            st.button(camera, icon=photo, key="camera", on_click=_open, args=("camera",))
            samples, image = texts.samples, ":material/image:"
            st.button(samples, icon=image, key="samples", on_click=_open, args=("samples",))
        most = PICTURES if mode == "chat" else 1
        _attached(mine, texts, most)
        prompts = {"chat": texts.ask_chat, "boxes": texts.ask_boxes, "points": texts.ask_points}
        st.chat_input(
            prompts[mode],
            key="composer",
            on_submit=keep_given,
            args=("composer",),
            accept_file="multiple",
            file_type=SUFFIXES,
            max_chars=8000,
        )
    _window(texts)
    said = cast("ChatInputValue | None", mine.given.get("composer"))
    if said is None:
        return
    given = (*mine.attached, *(file.getvalue() for file in said.files))
    pictures = given[:most]
    if mode != "chat" and not pictures:
        last = mine.last_picture()
        if last is None:
            del mine.given["composer"]
            st.warning(texts.no_picture)
            return
        pictures = (last,)
    ask(Question(mode=mode, text=said.text or texts.try_describe, pictures=pictures))
    mine.attach(*given[most:])
    del mine.given["composer"]
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


def _open(window: Window | None) -> None:
    st.session_state["window"] = window


def _window(texts: Texts) -> None:
    """The open one, in each run until it is closed: an answer that ends does not close it."""
    windows: dict[Window, tuple[str, Callable[[Texts], None]]] = {
        "camera": (texts.take_photo, _take_photo),
        "samples": (texts.samples, _choose_sample),
    }
    if (window := st.session_state.get("window")) is not None:
        title, content = windows[window]

        def drawn() -> None:
            if st.session_state.get("window") is None:
                st.rerun()  # one of its own buttons has closed it
            content(texts)

        st.dialog(title, on_dismiss=lambda: _open(None))(drawn)()


def _take_photo(texts: Texts) -> None:
    # Without a height, photos are as small as the window, and Streamlit starts the camera again
    # once it knows the window's width: whoever presses meanwhile gets no photo.
    photo = st.camera_input(texts.take_photo, label_visibility="collapsed", resolution="1080p")
    if photo is not None:
        st.button(texts.use_photo, type="primary", on_click=_attach, args=(photo.getvalue(),))


def _choose_sample(texts: Texts) -> None:
    for number, column in enumerate(st.columns(len(SEEDS))):
        with column:
            show_picture(sample(number))
            name, picture = texts.use_sample.format(number=number + 1), sample(number)
            key = f"sample-{number}"
            st.button(name, key=key, width="stretch", on_click=_attach, args=(picture,))


def _attach(picture: bytes) -> None:
    mine = session()
    mine.attach(*mine.attached, picture)
    _open(None)


def _attached(mine: Session, texts: Texts, most: int) -> None:
    pictures = mine.attached
    if not pictures:
        return
    several = texts.attached_several.format(count=len(pictures), most=most)
    with st.container(horizontal=True, vertical_alignment="center", key="attached"):
        for number, picture in enumerate(pictures):
            show_picture(picture, width=64)
            others = pictures[:number] + pictures[number + 1 :]
            st.button(
                texts.remove,
                on_click=mine.attach,
                args=others,
                icon=":material/close:",
                key=f"remove-{number}",
            )
        st.caption(several if len(pictures) > 1 else texts.attached)
