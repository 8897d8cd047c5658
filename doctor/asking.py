"""The questions that a client asks, in growing order, within a bounded time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from doctor.hops import Hop
from doctor.look import Look
from doctor.observations import Reply, Requests
from doctor.questions import HEALTH, MODELS, SIZES_KB, Question, chat, padded, picture
from infra.gcp.fallback import HEADER

CONNECT_SECONDS = 5
_UNCONNECTED = (httpx2.ConnectError, httpx2.ProxyError)
"""Although TCP may have been there: TLS, or a proxy, has refused the rest."""
_HOME_MS = re.compile(r"\bhome;dur=([\d.]+)")
"""In the gateway's Server-Timing."""


class Asker:
    """One client of the service; each request ends a second after ``deadline`` at the latest.

    ``told`` hears of each answer, as it comes.
    """

    def __init__(
        self,
        url: str,
        key: str,
        body_mb: int,
        deadline: float,
        told: Callable[[Hop, Reply], None] = lambda _hop, _reply: None,
    ) -> None:
        self._url, self._key, self._body_mb, self._deadline = url, key, body_mb, deadline
        self._told = told
        # Loading all authorities takes a tenth of a second.
        self._tls = httpx2.create_ssl_context()

    def health(self) -> Reply:
        """The first question, which wakes a gateway that was scaled to zero."""
        return self._ask(HEALTH)

    def after(self, health: Reply) -> Requests:
        """Each further question, until one fails."""
        if health.status is None:
            return Requests(health=health)
        # Whose mistake it is shows only with a key.
        models = self._ask(MODELS)
        if not models.good:
            return Requests(health=health, models=models)
        generation = self._ask(chat("one token", "Hello"))
        if not generation.good:
            return Requests(health=health, models=models, generation=generation)
        seen = self._ask(chat("a picture", [picture()]))
        bodies: list[Reply] = []
        for kb in (*SIZES_KB, self._body_mb * 1000):
            if time.monotonic() > self._deadline:
                break
            bodies.append(self._ask(padded(kb)))
            if not bodies[-1].was_read:
                break
        return Requests(
            health=health,
            models=models,
            generation=generation,
            picture=seen,
            bodies=tuple(bodies),
        )

    def _ask(self, question: Question) -> Reply:
        seconds = min(question.seconds, max(self._deadline - time.monotonic(), 1))
        begun = time.monotonic()
        connections: list[float] = []
        sent = Look(lambda: self._answer(question, seconds, connections))
        try:
            answer, took = sent.result(begun + seconds)
        except (TimeoutError, httpx2.TransportError) as error:
            took = time.monotonic() - begun
            reply = Reply(
                asked=question.asked,
                seconds=took,
                failure=_words(error, took),
                connected=bool(connections) and not isinstance(error, _UNCONNECTED),
            )
        else:
            code, words = _error(answer)
            reply = Reply(
                asked=question.asked,
                seconds=took,
                status=answer.status_code,
                code=code,
                in_gateways_form="x-request-id" in answer.headers,
                words=words,
                connected_seconds=connections[-1],
                home_seconds=_home_seconds(answer),
                by_fallback=HEADER in answer.headers,
                clock_ahead=_ahead(answer.headers.get("date")),
            )
        self._told(question.hop, reply)
        return reply

    def _answer(
        self, question: Question, seconds: float, connections: list[float]
    ) -> httpx2.Response:
        """With the seconds until TCP, and then TLS, was there in ``connections``."""

        def trace(event: str, _: Mapping[str, Any]) -> None:
            if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
                connections.append(time.monotonic() - begun)

        key = {"Authorization": f"Bearer {self._key}"} if question.key else {}
        limit = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        with httpx2.Client(timeout=limit, verify=self._tls) as client:
            begun = time.monotonic()
            return client.request(
                "GET" if question.body is None else "POST",
                f"{self._url}{question.path}",
                headers={**key, "Content-Type": "application/json"},
                content=question.body,
                extensions={"trace": trace},
            )


def _error(answer: httpx2.Response) -> tuple[str, str]:
    """Code and words of an error in OpenAI's form, or nothing and what else was said."""
    if answer.is_success:
        return "", ""
    try:
        error = answer.json()["error"]
        code = error.get("code")
        return code if isinstance(code, str) else "", str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", " ".join(answer.text.split())


def _home_seconds(answer: httpx2.Response) -> float | None:
    told = _HOME_MS.search(answer.headers.get("server-timing", ""))
    return float(told[1]) / 1000 if told else None


def _ahead(date: str | None) -> float | None:
    if date is None:
        return None
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _words(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return f"no answer in {seconds:.0f} s"
    return str(error) or type(error).__name__
