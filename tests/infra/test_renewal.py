"""When an auth key is renewed, over every day of some years and every length of its life."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.tailnet.renewal import (
    days_left,
    is_told,
    least_days_left,
    written_on,
)

DAYS = st.dates(date(2026, 1, 1), date(2032, 1, 1))
LIVES = st.integers(1, 90)


@given(made=DAYS, life=LIVES, age=st.integers(0, 90))
def test_a_key_that_is_not_renewed_today_has_enough_days_left(
    made: date, life: int, age: int
) -> None:
    today = made + timedelta(days=age)
    if written_on(today, life) == written_on(made, life):
        assert life - age > least_days_left(life) or life == 1


@given(made=DAYS, life=LIVES, age=st.integers(0, 90))
def test_only_a_key_that_an_up_renews_is_told_and_on_its_last_day_each_is(
    made: date, life: int, age: int
) -> None:
    expires = datetime.combine(made, time(23, 59), UTC) + timedelta(days=life)
    today = made + timedelta(days=min(age, life))
    if is_told(expires, today, life):
        assert written_on(today, life) != written_on(made, life)
        assert days_left(expires, today) <= 14
    assert is_told(expires, made + timedelta(days=life), life)


@pytest.mark.parametrize(
    ("key_days", "first_told"),
    [(90, date(2026, 12, 15)), (20, date(2026, 12, 17)), (14, date(2026, 12, 17))],
)
def test_a_key_that_expires_on_the_29th_is_told_from_this_day_on(
    key_days: int, first_told: date
) -> None:
    expires = datetime(2026, 12, 29, 12, tzinfo=UTC)
    days = [date(2026, 12, 9) + timedelta(days=n) for n in range(20)]
    assert next(day for day in days if is_told(expires, day, key_days)) == first_told


def test_a_key_of_90_days_is_renewed_every_60_days() -> None:
    assert written_on(date(2026, 3, 1), 90) == date(2026, 1, 1)
    assert written_on(date(2026, 3, 2), 90) == date(2026, 3, 2)


def test_days_left_are_whole_days_and_negative_afterwards() -> None:
    expires = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert days_left(expires, date(2026, 3, 17)) == 14
    assert days_left(expires, date(2026, 3, 31)) == 0
    assert days_left(expires, date(2026, 4, 2)) == -2
