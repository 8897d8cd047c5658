"""The path to the model, told in the sidebar, and looked at again by itself."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import streamlit as st

from app.client.page import clock, written
from app.client.page.health import Health, State
from app.client.page.redrawn import redrawn
from app.client.page.service import Service
from app.client.page.texts import Texts

LOOK_SECONDS = 30
DRAW_SECONDS = 2
RESTING_SECONDS = 600
"""A page that nobody uses stops looking: a gateway that is asked never scales to zero."""
MARKS: dict[State, str] = {"ok": "✓", "bad": "✗", "unknown": "?"}


def path(service: Service, texts: Texts) -> None:
    """To be called in each run of the whole page: that is what counts as use."""
    used, shown = time.monotonic(), _broken(service, texts)

    def looking(again: bool) -> None:  # noqa: FBT001
        resting = time.monotonic() - used > RESTING_SECONDS
        health = service.health
        if not resting and (health is None or time.monotonic() - health.at > LOOK_SECONDS):
            service.look()
        if again and _broken(service, texts) != shown:
            st.rerun()
        _show(service, health, texts)
        if resting:
            st.caption(texts.health_resting)
        icon = ":material/refresh:"
        st.button(texts.health_look, icon=icon, type="tertiary", on_click=service.look)
        clock.tick("next look", DRAW_SECONDS)

    redrawn("path", looking)


def banner(service: Service, texts: Texts) -> None:
    """Above the conversation, because a phone hides the sidebar: what is broken, if anything is."""
    with st.container(key="banner"):
        for told in _broken(service, texts):
            st.error(told)


def _broken(service: Service, texts: Texts) -> list[str]:
    health = service.health
    if health is None or health.ok:
        return []
    host = urlsplit(service.connection.base_url).netloc
    rows = advice(health, host, texts)
    return [f"**{name}.** {told}" for name, state, told in rows if state == "bad"]


def advice(health: Health, host: str, texts: Texts) -> list[tuple[str, State, str]]:
    """Each part of the path: name, state, and what to do when it is broken."""
    door, host = "", written.plain(host)
    if health.door == "bad":
        door = texts.door_down.format(host=host)
        if health.status is not None:
            told = texts.door_not_started if health.status in (502, 503) else texts.door_odd
            door = told.format(host=host, status=health.status)
    broken = {"model_unavailable": texts.model_down, "home_misconfigured": texts.home_refuses}
    home = broken.get(health.code or "", texts.home_down)
    serves = ""
    if health.served:
        serves = texts.health_serves if health.home == "ok" else texts.health_unlisted
        serves = serves.format(model=written.plain(health.served.model))
    return [
        (texts.health_door, health.door, door),
        (texts.health_key, health.key, texts.key_refused if health.key == "bad" else ""),
        (texts.health_home, health.home, home if health.home == "bad" else serves),
    ]


def _show(service: Service, health: Health | None, texts: Texts) -> None:
    st.subheader(texts.health, anchor=False)
    if health is None:
        st.caption(texts.health_looking)
        return
    host = urlsplit(service.connection.base_url).netloc
    if health.ok:
        st.success(texts.health_ok)
    else:
        st.error(texts.health_bad)
    rows = [
        f"{MARKS[state]} **{name}**" + (f"  \n{told}" if told else "")
        for name, state, told in advice(health, host, texts)
    ]
    st.markdown("  \n".join(rows))
    st.caption(
        texts.health_at.format(
            seconds=time.monotonic() - health.at, milliseconds=health.seconds * 1000
        )
    )
