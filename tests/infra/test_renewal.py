"""When an auth key is renewed, over every day of some years and every length of its life."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from infra.tailnet.renewal import days_left, least_days_left, renewed_from, written_on

DAYS = st.dates(date(2026, 1, 1), date(2032, 1, 1))
LIVES = st.integers(1, 90)


@given(made=DAYS, life=LIVES, age=st.integers(0, 90))
def test_a_key_that_is_not_renewed_today_has_enough_days_left(
    made: date, life: int, age: int
) -> None:
    today = made + timedelta(days=age)
    if written_on(today, life) == written_on(made, life):
        assert life - age > least_days_left(life) or life == 1


@given(today=DAYS, life=LIVES)
def test_the_day_of_the_next_renewal_is_the_first_that_is_written_otherwise(
    today: date, life: int
) -> None:
    day = renewed_from(today, life)
    assert written_on(day, life) == day
    assert written_on(day - timedelta(days=1), life) == written_on(today, life)


def test_a_key_of_90_days_is_renewed_every_60_days() -> None:
    assert written_on(date(2026, 3, 1), 90) == date(2026, 1, 1)
    assert written_on(date(2026, 3, 2), 90) == date(2026, 3, 2)


def test_days_left_are_whole_days_and_negative_afterwards() -> None:
    expires = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert days_left(expires, date(2026, 3, 17)) == 14
    assert days_left(expires, date(2026, 3, 31)) == 0
    assert days_left(expires, date(2026, 4, 2)) == -2
