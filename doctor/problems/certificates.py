"""Certificates that end soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from doctor.hops import Hop
from doctor.observations import Observations
from doctor.problems.problem import Problem
from infra.tailnet.renewal import WARN_DAYS, days_left


def of_certificates(seen: Observations) -> Iterator[Problem]:
    whose: list[tuple[Hop, str, datetime | None, str]] = [
        (
            "address",
            "The certificate of the service's address",
            seen.address_expires,
            "Google renews its own; for a domain of yours look at its mapping in Cloud Run.",
        ),
        (
            "kubernetes",
            "Your certificate in the kubeconfig",
            seen.kubeconfig_expires,
            "On the server: sudo systemctl restart k3s. Then `hub home install` prints a new one.",
        ),
    ]
    for hop, what, expires, remedy in whose:
        if expires and days_left(expires, seen.now.date()) <= WARN_DAYS:
            verb = "expired" if expires < seen.now else "expires"
            cause = f"{what} {verb} on {expires:%Y-%m-%d}."
            yield Problem(hop=hop, cause=cause, remedy=remedy, harmless=True)
