"""The events of a request as lines that a person reads."""

from __future__ import annotations

import html
from collections.abc import Iterable

from app.client.events import Accepted, Event, Finished, FirstToken, PictureReady, Sent, Waiting
from app.client.page.texts import Texts


def lines(events: Iterable[tuple[float, Event]], texts: Texts) -> tuple[str, ...]:
    """One or more lines for each event, with the seconds since the question was put."""
    return tuple(f"{at:6.2f} s  {told}" for at, event in events for told in _told(event, texts))


def _told(event: Event, texts: Texts) -> list[str]:
    match event:
        case PictureReady():
            return [
                texts.log_picture.format(
                    original="x".join(map(str, event.original)),
                    sent="x".join(map(str, event.sent)),
                    kilobytes=event.bytes / 1000,
                    milliseconds=event.seconds * 1000,
                )
            ]
        case Sent():
            return [texts.log_sent.format(kilobytes=event.bytes / 1000)]
        case Waiting():
            return [
                texts.log_waiting.format(
                    attempt=event.attempt, wait=event.seconds, reason=event.reason
                )
            ]
        case Accepted():
            return _accepted(event, texts)
        case FirstToken():
            return [texts.log_first.format(milliseconds=event.seconds * 1000)]
        case Finished():
            return _finished(event, texts)


def _accepted(event: Accepted, texts: Texts) -> list[str]:
    told = [texts.log_accepted.format(milliseconds=event.seconds * 1000)]
    if event.request_id is not None:
        told.append(texts.log_request_id.format(id=event.request_id))
    for hop, seconds in event.hops.items():
        told.append(texts.log_hop.format(hop=hop, milliseconds=seconds * 1000))
    return told


def _finished(event: Finished, texts: Texts) -> list[str]:
    told = [texts.log_finished.format(seconds=event.seconds, reason=event.finish_reason)]
    if event.prompt_tokens is not None:
        told.append(
            texts.log_tokens.format(prompt=event.prompt_tokens, completion=event.completion_tokens)
        )
    if event.tokens_per_second is not None:
        told.append(texts.log_speed.format(speed=event.tokens_per_second))
    return told


def as_html(told: Iterable[str]) -> str:
    """A list that a screen reader follows while it grows."""
    items = "".join(f"<li>{html.escape(line.strip())}</li>" for line in told)
    return f'<ol class="hub-log" role="log">{items}</ol>'
