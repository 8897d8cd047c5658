"""The door of a page whose link is shared."""

from __future__ import annotations

import hmac
import os
import time
from typing import cast

import streamlit as st

from app.client.page.session import keep_given, session
from app.client.page.texts import Texts

DELAY_SECONDS = 1.0
"""After a wrong try, and only the one who tried waits. It is no match for a short password."""


def passed(texts: Texts) -> bool:
    """Whether the page may be shown; draws the form while it may not."""
    password = os.environ.get("HUB_CLIENT_PASSWORD")
    if not password or st.session_state.get("passed"):
        return True
    st.title(texts.title)
    with st.form("password"):
        st.write(texts.password_ask)
        st.text_input(texts.password, type="password", key="password")
        enter = texts.password_enter
        st.form_submit_button(enter, type="primary", on_click=keep_given, args=("password",))
    given = cast("str | None", session().given.pop("password", None))
    if given is None:
        return False
    if hmac.compare_digest(given.encode(), password.encode()):
        st.session_state["passed"] = True
        st.rerun()
    time.sleep(DELAY_SECONDS)
    st.error(texts.password_wrong)
    return False
