"""The sidebar's settings and the conversation's file."""

from __future__ import annotations

import streamlit as st

from app.client.page import languages, written
from app.client.page.service import Service
from app.client.page.session import Session, session
from app.client.page.texts import Texts
from app.client.page.turns import HistoryError, opened, saved
from app.client.request import Options
from app.model.profiles import CoordSpace


def settings(service: Service, texts: Texts) -> Options:
    """Draw them; how answers are to be made."""
    health = service.health
    served = health.served if health is not None else None
    if served is not None and served.coord_space is None:
        _ask_for_coord_space(texts)
    with st.expander(texts.settings):
        languages.choose(texts.language)
        model = st.selectbox(
            texts.served_model,
            [served.name if served is not None else None],
            format_func=lambda name: f"{name} ({served.model})" if served else "…",
        )
        temperature = st.slider(
            texts.temperature, 0.0, 1.5, 0.0, 0.1, help=texts.temperature_help, key="temperature"
        )
        max_tokens = st.number_input(
            texts.max_tokens, 16, 4096, 512, 16, help=texts.max_tokens_help, key="max_tokens"
        )
        system_prompt = st.text_area(
            texts.system_prompt, help=texts.system_prompt_help, key="system_prompt"
        )
    return Options(
        model=model,
        temperature=temperature,
        max_tokens=max_tokens,
        system_prompt=system_prompt or None,
    )


def _ask_for_coord_space(texts: Texts) -> None:
    names: dict[CoordSpace, str] = {
        "pixels": texts.coord_pixels,
        "thousandths": texts.coord_thousandths,
    }
    st.segmented_control(
        texts.coord_space,
        list(names),
        format_func=names.__getitem__,
        help=texts.coord_space_help,
        key="coord_space",
    )


def history(texts: Texts) -> None:
    """Begin anew, save, open."""
    mine = session()
    turns = mine.turns
    with st.expander(texts.history):
        st.button(texts.new, width="stretch", on_click=mine.begin_anew, args=(texts,))
        st.download_button(
            texts.export,
            lambda: saved(turns),
            "conversation.json",
            "application/json",
            on_click="ignore",
            disabled=not turns,
            width="stretch",
        )
        file = st.file_uploader(texts.import_, type="json", key="opened")
        if file is not None and st.session_state.get("opened_id") != file.file_id:
            st.session_state["opened_id"] = file.file_id
            _open(mine, file.getvalue(), texts)


def _open(mine: Session, file: bytes, texts: Texts) -> None:
    try:
        turns = opened(file)
    except HistoryError as error:
        st.error(texts.import_failed.format(why=written.plain(str(error))))
        return
    mine.begin_anew(texts, *turns)
    st.rerun()
