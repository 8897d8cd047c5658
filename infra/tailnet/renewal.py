"""When an auth key is renewed: calendar arithmetic, no clock.

Time is cut into periods of equal length, counted from a fixed day. The key's description names the
first day of the period in which it was made, and changes with the first `pulumi up` of the next.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

SECONDS_PER_DAY = 86_400
RENEW_DAYS = 30
"""A key with fewer days left is renewed by any `pulumi up`; a short one at half of its life."""
WARN_DAYS = 14
_EPOCH = date(2026, 1, 1)


def written_on(today: date, key_days: int) -> date:
    """The first day of today's period.

    A key that was made in this period has more than :func:`least_days_left` days left.

    >>> str(written_on(date(2026, 3, 1), 90)), str(written_on(date(2026, 3, 2), 90))
    ('2026-01-01', '2026-03-02')
    """
    period = key_days - least_days_left(key_days)
    return today - timedelta(days=(today - _EPOCH).days % period)


def is_told(expires: datetime, today: date, key_days: int) -> bool:
    """Whether a key that lives ``key_days`` expires soon, and `pulumi up` would renew it today."""
    made = expires.astimezone(UTC).date() - timedelta(days=key_days)
    is_due = written_on(made, key_days) != written_on(today, key_days)
    return is_due and days_left(expires, today) <= WARN_DAYS


def least_days_left(key_days: int) -> int:
    """30, or half of a shorter life."""
    return min(RENEW_DAYS, key_days // 2)


def days_left(expires: datetime, today: date) -> int:
    """Whole days; negative when it has expired."""
    return (expires - datetime.combine(today, time(), UTC)).days
