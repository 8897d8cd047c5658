"""What one person's session holds; nothing of it is shared with another.

It is an object of our own: Streamlit may end a run of the page whenever that looks into Streamlit's
own state, and a change that was made by half would ask a question twice, or lose it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import streamlit as st

from app.client.page.asking import Asking
from app.client.page.log import lines
from app.client.page.service import Service
from app.client.page.texts import Texts
from app.client.page.turns import Question, Turn
from app.client.request import Options
from app.model.profiles import CoordSpace


@dataclass
class Session:
    """Of one person."""

    turns: tuple[Turn, ...] = ()
    asking: Asking | None = None
    """The question under way."""
    attached: tuple[bytes, ...] = ()
    """Pictures that wait for the next question."""
    given: dict[str, object] = field(default_factory=dict[str, object])
    """What was given to a widget, until the page has done what was asked for."""

    def ask(self, asking: Asking, texts: Texts) -> None:
        """Put a question; one that is under way is stopped and kept as far as it came."""
        self.stop(texts)
        self.asking = asking

    def stop(self, texts: Texts) -> None:
        if self.asking is not None:
            self.asking.stop()
            self.keep(self.asking, texts)

    def keep(self, ended: Asking, texts: Texts) -> None:
        """Move what was asked from "under way" to the history."""
        turn = ended.so_far()
        log = lines(ended.events, texts)
        if turn.ending == "stopped":
            log = (*log, f"{ended.seconds:6.2f} s  {texts.log_stopped}")
        self.turns = (*self.turns, turn.model_copy(update={"log": log}))
        self.asking = None

    def begin_anew(self, texts: Texts, *turns: Turn) -> None:
        """With these, which were saved."""
        self.stop(texts)
        self.turns = turns

    def last_picture(self) -> bytes | None:
        """Of the conversation."""
        pictures = [picture for turn in self.turns for picture in turn.question.pictures]
        return pictures[-1] if pictures else None

    def attach(self, *pictures: bytes) -> None:
        """In place of those that waited."""
        self.attached = pictures


def session() -> Session:
    """Of whoever looks at the page."""
    return cast("Session", st.session_state.setdefault("session", Session()))


def ask(service: Service, question: Question, options: Options, texts: Texts) -> None:
    """Put a question, read as the settings say."""
    mine = session()
    space = cast("CoordSpace | None", st.session_state.get("coord_space"))
    mine.ask(Asking(service, question, mine.turns, options, space), texts)


def keep_given(widget: str) -> None:
    """Keep what was given to a widget; for the widget's callback.

    Whatever a person does on the page begins in a callback: what they do next stops this run, which
    then never comes to read the widget, and the next one is not told again (Streamlit 1.67).
    """
    session().given[widget] = st.session_state[widget]
