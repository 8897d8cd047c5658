"""The chat page: what is drawn, and nothing about how answers are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence

import streamlit as st

from app.client.chat import ChatError, Message, question
from app.client.images import ImageError, Prepared, prepare

Answer = Callable[[Sequence[Message]], Generator[str]]
"""From a conversation to the pieces of the next answer."""


def render(answer: Answer) -> None:
    """Draw one run of the page."""
    st.title("Ask your GPU at home")
    history: list[Message] = st.session_state.setdefault("history", [])
    for message in history:
        _show(message)
    with st.sidebar:
        upload = st.file_uploader("A picture to ask about", type=["png", "jpg", "jpeg", "webp"])
        log = st.container(border=True)
        log.caption("What happens")
    if not (text := st.chat_input("Ask something")):
        if not history:
            st.info("Ask a question; add a picture on the left if you want to ask about one.")
        return
    picture = None
    if upload is not None and (picture := _prepared(upload.getvalue())) is None:
        return
    if picture is not None:
        log.text(
            f"picture {picture.original.width}x{picture.original.height}, sent as "
            f"{picture.sent.width}x{picture.sent.height}, {picture.encoded_bytes // 1000} kB"
        )
    asked = [*history, question(text, picture)]
    _show(asked[-1])
    log.text("question sent")
    try:
        with st.chat_message("assistant"):
            told = str(st.write_stream(_timed(answer(asked), log.text)))
    except ChatError as error:
        st.error(str(error))
        return  # a failed question stays out of the history, so it can be asked again
    st.session_state["history"] = [*asked, {"role": "assistant", "content": told}]


def _timed(pieces: Generator[str], tell: Callable[[str], object]) -> Generator[str]:
    begun, count = time.monotonic(), 0
    for piece in pieces:
        if count == 0:
            tell(f"first piece after {time.monotonic() - begun:.2f} s")
        count += 1
        yield piece
    tell(f"{count} pieces in {time.monotonic() - begun:.2f} s")


def _prepared(data: bytes) -> Prepared | None:
    try:
        return prepare(data)
    except ImageError as error:
        st.error(str(error))
        return None


def _show(message: Message) -> None:
    with st.chat_message(message["role"]):
        if isinstance(message["content"], str):
            st.write(message["content"])
            return
        for part in message["content"]:
            if part["type"] == "text":
                st.write(part["text"])
            else:
                st.image(part["image_url"]["url"], width=320)
