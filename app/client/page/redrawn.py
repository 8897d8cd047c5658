"""A piece of the page that is drawn again at what happens in it, while the rest stays."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def redrawn(key: str, piece: Callable[[bool], None]) -> None:
    """Draw ``piece`` now, and again at what happens in it until the whole page is drawn anew.

    It is told whether it is drawn again. Then the browser may not have been sent the page that was
    drawn last: on a busy machine Streamlit (1.67) loses one now and then, all of it or the pieces
    that are asked for meanwhile. Hence the container that holds nothing else: what comes after a
    lost piece must not move into its place.
    """
    again = False

    def draw() -> None:
        piece(again)

    with st.container(key=key):
        st.fragment(draw)()
    again = True
