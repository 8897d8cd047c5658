"""How long the rest will take on this machine, judged by how long the first part took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TRUST_SECONDS = 30
"""So much expected work is done before this machine's own pace outweighs the measured one."""


@dataclass
class Share:
    """One piece of work, in the seconds it took where it was measured: two free cores."""

    expected: float
    done: float = 0

    @property
    def left(self) -> float:
        return max(self.expected - self.done, 0)


def seconds_left(shares: Iterable[Share], spent: float) -> float:
    """What is left, scaled by the pace so far.

    >>> round(seconds_left([Share(expected=600, done=300)], spent=600))  # half as fast
    573
    >>> seconds_left([Share(expected=600)], spent=0)
    600.0
    """
    shares = list(shares)
    done = sum(share.done for share in shares)
    pace = (spent + TRUST_SECONDS) / (done + TRUST_SECONDS)
    return sum(share.left for share in shares) * pace


def duration(seconds: float) -> str:
    """For a reader.

    >>> duration(7.6), duration(185)
    ('8 s', '3 min 05 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
