"""A clock in the browser that tells which page it shows, so that a lost one is sent again.

On a busy machine Streamlit (1.67) now and then loses the end of a page: what a run of the page
says is ignored from the moment on in which the next run has its own runner. The beginning, which
did arrive, has stopped the browser's timers (``run_every``), and what starts them again is lost.
A component's timer is the component's own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

import streamlit as st
from streamlit.components.v2 import component

LATE_SECONDS = 5.0
"""Far longer than a page is under way to a browser."""
_JAVASCRIPT = """
const timers = new WeakMap();
export default function ({ parentElement, data, setTriggerValue }) {
  const tell = () => {
    const pages = [...document.querySelectorAll('[data-hub-page]')];
    setTriggerValue('shown', Math.max(0, ...pages.map((page) => Number(page.dataset.hubPage))));
  };
  clearInterval(timers.get(parentElement));
  timers.set(parentElement, setInterval(tell, data.seconds * 1000));
  return () => clearInterval(timers.get(parentElement));
}
"""


@dataclass(frozen=True)
class Drawn:
    """A page that was drawn whole, from top to bottom."""

    number: int
    at: float

    def lost(self, shown: int, now: float) -> bool:
        """Whether the browser, which shows page ``shown``, will not be sent this one any more."""
        return shown < self.number and now - self.at > LATE_SECONDS


def begin() -> int:
    """The number of the page that is drawn now."""
    last = cast("Drawn | None", st.session_state.get("drawn"))
    number = last.number + 1 if last else 1
    st.session_state["drawn"] = Drawn(number, time.monotonic())
    return number


def end(number: int) -> None:
    """The page's last word: a browser that has it has all that comes before."""
    st.html(f'<span data-hub-page="{number}"></span>')


def tick(seconds: float) -> None:
    """To be called in a fragment: it is drawn again each ``seconds``, and the whole page with it
    if the browser has not got the last one.
    """
    clock = component("clock", js=_JAVASCRIPT, isolate_styles=False)
    told = clock(data={"seconds": seconds}, key="clock", on_shown_change=lambda: None)
    shown = cast("int | None", told.shown)  # pyright: ignore[reportUnknownMemberType]
    last = cast("Drawn", st.session_state["drawn"])
    if shown is not None and last.lost(shown, time.monotonic()):
        st.rerun()
