"""A clock in the browser: pieces of the page are drawn again by it, and a lost page is sent again.

Streamlit's own timers (``run_every``) do neither. They ask at their pace, whatever the machine's: a
busy one draws faster than it sends, what was not sent is dropped for what was drawn since, and
nobody is shown anything any more. And on a busy machine Streamlit (1.67) now and then loses the end
of a page, because what a run of the page says is ignored from the moment on in which the next run
has its own runner; the beginning, which did arrive, has stopped such timers.
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
const clocks = new WeakMap();
export default function ({ parentElement, data, setTriggerValue }) {
  const stop = () => {
    const { next, late } = clocks.get(parentElement) ?? {};
    clearTimeout(next);
    clearInterval(late);
  };
  const tell = () => {
    const pages = [...document.querySelectorAll('[data-hub-page]')];
    setTriggerValue('shown', Math.max(0, ...pages.map((page) => Number(page.dataset.hubPage))));
  };
  if (clocks.get(parentElement)?.drawn === data.drawn) return stop;
  stop();
  const next = setTimeout(tell, data.seconds * 1000);
  const late = setInterval(tell, (data.seconds + data.late) * 1000);
  clocks.set(parentElement, { drawn: data.drawn, next, late });
  return stop;
}
"""


@dataclass(frozen=True)
class Drawn:
    """A page that was drawn whole, from top to bottom."""

    number: int
    at: float

    def late(self, now: float) -> bool:
        """Whether a browser that does not show it will not be sent it any more.

        Not sooner: on a busy machine a page is under way for seconds, and a new one takes the
        place of what was not sent yet. Pages drawn faster than they are sent are never seen.
        """
        return now - self.at > LATE_SECONDS

    def lost(self, shown: int, now: float) -> bool:
        """Whether it has to be drawn again for a browser that shows page ``shown``."""
        return shown < self.number and self.late(now)


def begin() -> int:
    """The number of the page that is drawn now."""
    last = cast("Drawn | None", st.session_state.get("drawn"))
    number = last.number + 1 if last else 1
    st.session_state["drawn"] = Drawn(number, time.monotonic())
    return number


def end(number: int) -> None:
    """The page's last word: a browser that has it has all that comes before."""
    st.html(f'<span data-hub-page="{number}"></span>')
    st.session_state["drawn"] = Drawn(number, time.monotonic())


def late() -> bool:
    """Of the page that was drawn last."""
    return _last().late(time.monotonic())


def tick(key: str, seconds: float) -> None:
    """To be called in a fragment: ``seconds`` after the browser got it, it is drawn again, and the
    whole page with it if the browser has not got the last one.

    What the browser does not get is asked for again after ``LATE_SECONDS``.
    """
    clock = component("clock", js=_JAVASCRIPT, isolate_styles=False)
    data = {"seconds": seconds, "late": LATE_SECONDS, "drawn": time.monotonic()}
    told = clock(data=data, key=key, on_shown_change=lambda: None)
    shown = cast("int | None", told.shown)  # pyright: ignore[reportUnknownMemberType]
    if shown is not None and _last().lost(shown, time.monotonic()):
        st.rerun()


def _last() -> Drawn:
    return cast("Drawn", st.session_state["drawn"])
