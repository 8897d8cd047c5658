from __future__ import annotations

import pytest

from twin.toolchain.forecast import Share, duration, seconds_left


def test_at_first_the_measured_time_is_all_that_is_known() -> None:
    assert seconds_left([Share(400), Share(40)], spent=0) == 440


def test_a_machine_that_is_half_as_fast_takes_nearly_twice_as_long() -> None:
    # 300 s of work in 600 s, each with 30 s at the measured pace beside it: 630 / 330
    half_done = [Share(expected=600, done=300)]
    assert seconds_left(half_done, spent=600) == pytest.approx(300 * 630 / 330)


def test_the_first_seconds_do_not_make_a_forecast_wild() -> None:
    # Nothing done in 10 s: a third more, not for ever.
    assert seconds_left([Share(600)], spent=10) == pytest.approx(600 * 40 / 30)


def test_work_that_took_longer_than_expected_leaves_nothing() -> None:
    assert seconds_left([Share(expected=10, done=25)], spent=25) == 0


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (60, "1 min 00 s"), (3599, "59 min 59 s")],
)
def test_a_duration_is_told_in_minutes_and_seconds(seconds: float, told: str) -> None:
    assert duration(seconds) == told
