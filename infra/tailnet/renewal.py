"""When an auth key is renewed: calendar arithmetic, no clock.

Time is cut into periods of equal length, counted from a fixed day. The key's description names the
first day of the period in which it was made, and changes with the first `pulumi up` of the next.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

SECONDS_PER_DAY = 86_400
RENEW_DAYS = 30
"""A key with fewer days left is renewed by any `pulumi up`."""
WARN_DAYS = 14
_EPOCH = date(2026, 1, 1)


def written_on(today: date, key_days: int) -> date:
    """The first day of today's period.

    A key that was made in this period has more than :func:`least_days_left` days left.

    >>> str(written_on(date(2026, 3, 1), 90)), str(written_on(date(2026, 3, 2), 90))
    ('2026-01-01', '2026-03-02')
    """
    return today - timedelta(days=(today - _EPOCH).days % _period(key_days))


def renewed_from(today: date, key_days: int) -> date:
    """The first day on which `pulumi up` renews what was made today."""
    return written_on(today, key_days) + timedelta(days=_period(key_days))


def _period(key_days: int) -> int:
    return key_days - least_days_left(key_days)


def least_days_left(key_days: int) -> int:
    """30, or half of a shorter life."""
    return min(RENEW_DAYS, key_days // 2)


def days_left(expires: datetime, today: date) -> int:
    """Whole days; negative when it has expired."""
    return (expires - datetime.combine(today, time(), UTC)).days
