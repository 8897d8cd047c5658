"""How long instances of the gateway ran, from its log, and what that took of the free tiers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from infra.gcp.costs import months_use


@dataclass(frozen=True)
class Life:
    """One instance, between its first line in the log and its last."""

    instance: str
    region: str
    begun: datetime
    ended: datetime


@dataclass
class Day:
    """The instances of one day."""

    day: str
    """In UTC."""
    region: str
    starts: int = 0
    minutes: float = 0


@dataclass(frozen=True)
class Month:
    """The instances of one month in one region; of what is free, 1.0 is all of it."""

    month: str
    region: str
    minutes: float
    free_cpu: float
    free_memory: float
    tailnet: float
    usd: float


def entries(text: str) -> list[dict[str, Any]]:
    """A log's lines that are JSON, or the list that `gcloud logging read --format=json` prints."""
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def lives(logged: Iterable[Mapping[str, Any]]) -> list[Life]:
    """From entries in Cloud Logging's form; others name no instance.

    Cloud Run writes no line when it ends an instance. Caddy does, when it is told to stop.
    """
    found: dict[str, Life] = {}
    for entry in logged:
        instance = entry.get("labels", {}).get("instanceId")
        if instance is None:
            continue
        at = datetime.fromisoformat(entry["timestamp"])
        region = str(entry["resource"]["labels"]["location"])
        known = found.get(instance, Life(instance, region, at, at))
        found[instance] = Life(instance, region, min(known.begun, at), max(known.ended, at))
    return sorted(found.values(), key=lambda life: life.begun)


def still_running(lived: Iterable[Life], running: set[str], now: datetime) -> list[Life]:
    """Those that run have not ended with their last line."""
    return [replace(life, ended=now) if life.instance in running else life for life in lived]


def by_day(lived: Iterable[Life]) -> list[Day]:
    """By day, then region; an instance that lived through midnight counts for both days."""
    days: dict[tuple[str, str], Day] = {}
    for life in lived:
        for begun, ended in _days(life):
            place = (begun.date().isoformat(), life.region)
            day = days.setdefault(place, Day(*place))
            day.starts += begun == life.begun
            day.minutes += (ended - begun).total_seconds() / 60
    return [days[place] for place in sorted(days)]


def by_month(days: Iterable[Day]) -> list[Month]:
    """By month, then region."""
    minutes: dict[tuple[str, str], float] = {}
    for day in days:
        place = (day.day[:7], day.region)
        minutes[place] = minutes.get(place, 0) + day.minutes
    return [
        Month(*place, minutes[place], **asdict(months_use(place[1], minutes[place] * 60)))
        for place in sorted(minutes)
    ]


def _days(life: Life) -> Iterator[tuple[datetime, datetime]]:
    begun, ended = life.begun.astimezone(UTC), life.ended.astimezone(UTC)
    while begun.date() < ended.date():
        midnight = datetime.combine(begun.date() + timedelta(days=1), time(), UTC)
        yield begun, midnight
        begun = midnight
    yield begun, ended
