"""The forecast beside what others measured."""

from __future__ import annotations

import pytest

from app.model.forecast.published import (
    Reading,
    Start,
    memory_readings,
    speed_readings,
    starts,
)
from docs.generate import FORECAST, with_readings

READINGS = [*memory_readings(), *speed_readings()]


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.what)
def test_a_forecast_is_as_near_to_the_reading_as_it_says_or_is_said_to_miss_it(
    reading: Reading,
) -> None:
    assert (abs(reading.apart) > reading.within) is bool(reading.missed), reading


def test_no_speed_is_allowed_to_be_further_off_than_15_percent() -> None:
    assert {reading.within for reading in speed_readings()} == {0.15}


@pytest.mark.parametrize("start", starts(), ids=lambda start: start.what)
def test_what_failed_is_refused_and_what_started_is_not_or_it_is_said(start: Start) -> None:
    assert (start.predicted != start.reported) is bool(start.missed)


def test_starts_of_both_kinds_are_compared() -> None:
    assert {start.reported for start in starts()} == {True, False}


def test_the_page_has_these_readings() -> None:
    text = FORECAST.read_text()
    assert with_readings(text) == text, "run `python -m docs.generate`"
