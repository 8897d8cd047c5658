"""What ``streamlit run`` is given: :mod:`.main`, which no browser lets load from another origin.

:mod:`.written` leaves nothing in a text that loads something. Should it ever miss a form that
Streamlit reads, the browser itself refuses: a picture's text cannot carry a conversation away.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    # Streamlit compiles components and styles in the browser.
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    # Older browsers do not take the page's own web socket for 'self'.
    "connect-src 'self' data: blob: ws: wss:"
)


class OwnOriginOnly:
    """Sends the policy with each response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = POLICY
            await send(message)

        await self._app(scope, receive, send_with_policy)


app = st.App(Path(__file__).with_name("main.py"), middleware=[Middleware(OwnOriginOnly)])
