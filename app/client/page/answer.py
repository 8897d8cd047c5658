"""A question and its answer, drawn."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import streamlit as st

from app.client.grounding.draw import drawn
from app.client.grounding.export import as_coco, as_json
from app.client.grounding.found import Detection
from app.client.images import upright
from app.client.page import overlay, written
from app.client.page.log import as_html
from app.client.page.texts import Texts
from app.client.page.turns import Question, Turn


@st.cache_data(max_entries=64, show_spinner=False)
def preview(picture: bytes) -> bytes:
    """Made once, not in each of five draws a second."""
    return overlay.preview(picture)


def show_picture(picture: bytes, width: int | None = None) -> None:
    """``width`` in pixels; else as wide as its place."""
    place = "stretch" if width is None else "content"
    st.html(overlay.picture(preview(picture), width), width=place)


def show_question(asked: Question, texts: Texts) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        if asked.mode == "chat" and asked.pictures:
            with st.container(horizontal=True):
                for picture in asked.pictures:
                    show_picture(picture, width=300)
        forms = {"chat": "{what}", "boxes": texts.find_boxes, "points": texts.find_points}
        st.markdown(forms[asked.mode].format(what=written.plain(asked.text)))


def show_turn(turn: Turn, number: int, texts: Texts, again: Callable[[Question], None]) -> None:
    """One of the history; ``again`` is called to put a failed question anew."""
    show_question(turn.question, texts)
    with st.chat_message("assistant", avatar=":material/memory:"):
        show_answer(turn, texts)
        if turn.detection is not None and turn.ending != "failed":
            _downloads(turn, turn.detection, number, texts)
        _ending(turn, texts)
        if turn.ending in ("failed", "stopped"):
            st.button(texts.again, key=f"again-{number}", on_click=again, args=(turn.question,))
        if turn.log:
            with st.expander(texts.log):
                st.html(as_html(turn.log))


def show_answer(turn: Turn, texts: Texts) -> None:
    """Also of an answer that still grows."""
    if turn.detection is None or turn.question.picture is None:
        _show_text(turn.answer)
        return
    found = turn.detection
    count = len(found.boxes) + len(found.points)
    title = texts.overlay.format(count=count)
    st.html(overlay.marked(preview(turn.question.picture), found, title))
    if count:
        is_in_part = bool(found.problems) and turn.ending in ("whole", "cut")
        told = texts.found_in_part if is_in_part else texts.found
        st.markdown(told.format(count=count))
        st.table(  # pyright: ignore[reportUnknownMemberType]
            [
                {
                    texts.column_label: written.plain(mark.label),
                    texts.column_place: overlay.place(mark),
                }
                for mark in (*found.boxes, *found.points)
            ]
        )
    elif turn.ending == "whole":
        st.markdown(texts.found_unreadable if found.problems else texts.found_nothing)


def _show_text(answer: str) -> None:
    for piece in written.answer(answer):
        if isinstance(piece, written.Code):
            st.code(piece.text, language=piece.language or None, wrap_lines=True)
        elif piece:
            st.markdown(piece)


def _ending(turn: Turn, texts: Texts) -> None:
    if turn.ending == "failed":
        st.error(f"**{failure_title(turn, texts)}**  \n{written.plain(turn.trouble)}")
    elif turn.ending == "stopped":
        st.caption(texts.stopped)
    elif turn.ending == "cut":
        st.warning(texts.cut if turn.detection is None else texts.cut_places)


def failure_title(turn: Turn, texts: Texts) -> str:
    """By the gateway's code, else by a status that every service means so."""
    of_home = {
        "home_unavailable": texts.trouble_home,
        "home_lost": texts.trouble_home,
        "home_waking": texts.trouble_waking,
        "home_misconfigured": texts.trouble_refused,
        "model_unavailable": texts.trouble_model,
    }
    if turn.code in of_home:
        return of_home[turn.code]
    known = {401: texts.trouble_key, 413: texts.trouble_large, 429: texts.trouble_busy}
    return known.get(turn.status or 0, texts.trouble)


def _downloads(turn: Turn, found: Detection, number: int, texts: Texts) -> None:
    picture = turn.question.picture or b""

    def png() -> bytes:
        file = io.BytesIO()
        drawn(upright(picture), found).save(file, "PNG")
        return file.getvalue()

    def coco() -> str:
        return json.dumps(as_coco({"picture.png": found}), indent=1)

    offered: list[tuple[str, Callable[[], bytes | str], str]] = [
        (texts.download_png, png, "picture.png"),
        (texts.download_json, lambda: json.dumps(as_json(found), indent=1), "found.json"),
        (texts.download_coco, coco, "coco.json"),
    ]
    with st.container(horizontal=True):
        for label, make, name in offered:
            st.download_button(
                label,
                make,
                name,
                icon=":material/download:",
                key=f"{label}-{number}",
                on_click="ignore",
            )
    for problem in found.problems:
        st.caption(f"{texts.left_out}: {written.plain(problem)}")
    with st.expander(texts.raw_answer):
        st.code(turn.answer, language="json", wrap_lines=True)
