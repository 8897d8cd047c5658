"""Which language this session speaks."""

from __future__ import annotations

import streamlit as st

from app.client.page.english import ENGLISH
from app.client.page.korean import KOREAN
from app.client.page.texts import LANGUAGES, Language, Texts

TEXTS: dict[Language, Texts] = {"en": ENGLISH, "ko": KOREAN}


def texts() -> Texts:
    """In the language that was chosen, else the browser's."""
    return TEXTS[st.session_state.get("language") or of_locale(st.context.locale)]


def choose(label: str) -> None:
    st.session_state.setdefault("language", of_locale(st.context.locale))
    st.selectbox(label, list(LANGUAGES), format_func=LANGUAGES.__getitem__, key="language")


def of_locale(locale: str | None) -> Language:
    """By a browser's locale, such as ``ko-KR``; English for languages the page does not speak."""
    return "ko" if (locale or "").lower().partition("-")[0] == "ko" else "en"
