"""Look at every side of a deployment at once, within half a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from doctor import certificates, evidence
from doctor.asking import Asker
from doctor.hops import Hop
from doctor.look import Look
from doctor.observations import NotSeen, Observations, Reply, Requests
from doctor.patient import Patient
from infra.config import Settings
from infra.gcp.costs import prices

REQUESTS_SECONDS = 26
"""For all requests; each ends a second later at the latest."""
ALL_SECONDS = 29
"""For all sides; half a minute is the promise."""
T = TypeVar("T")
Told = Callable[[Mapping[Hop, str]], None]


def _free_minutes(settings: Settings) -> int | None:
    """A control server of one's own counts none."""
    return None if settings.tailnet.control_url else prices().tailscale.ephemeral_minutes


def examine(
    patient: Patient, *, with_drift: bool = False, told: Told = lambda _texts: None
) -> Observations:
    """All sides at once: what a client sees, and what the owner sees behind it.

    ``with_drift``: then, which takes longer, also what is not as it was declared.
    ``told`` hears of each hop what was seen there, as it comes, from any thread.
    """
    begun = time.monotonic()

    def heard(hop: Hop, reply: Reply) -> None:
        told({hop: evidence.answered(reply)})

    def looked(ask: Callable[[], T], words: Callable[[T], Mapping[Hop, str]]) -> Look[T]:
        def ask_and_tell() -> T:
            found = ask()
            told(words(found))
            return found

        return Look(ask_and_tell)

    def seen(look: Look[T]) -> tuple[T | NotSeen, float]:
        try:
            return look.result(begun + ALL_SECONDS)
        except TimeoutError:
            return NotSeen(why=f"no answer in {ALL_SECONDS} s"), ALL_SECONDS

    body_mb = patient.settings.limits.body_mb
    asker = Asker(patient.url, patient.key, body_mb, begun + REQUESTS_SECONDS, heard)
    auth_key = Look(patient.auth_key)
    at_home = looked(patient.cluster, evidence.of_kubernetes)
    ran = Look(lambda: patient.minutes(datetime.now(UTC)))
    address = Look(lambda: certificates.of_address(patient.url))
    health = asker.health()
    # After the first request: only then does the service know why an instance did not start,
    # and is one that did in the tailnet.
    nobody_answers = Requests(health=health).nobody_answers
    service = looked(
        lambda: patient.service(nobody_answers), lambda it: {"cloud run": evidence.of_service(it)}
    )
    tailnet = looked(patient.tailnet, lambda it: {"tailnet": evidence.online(it)})
    requests = asker.after(health)
    the_service, service_seconds = seen(service)
    the_tailnet, tailnet_seconds = seen(tailnet)
    the_cluster, cluster_seconds = seen(at_home)
    expires, _ = seen(address)
    return Observations(
        home=patient.settings.home.host,
        up=patient.up,
        kubectl=patient.kubectl,
        gateway_log=patient.gateway_log,
        take=patient.take,
        refresh=patient.refresh,
        url=patient.url,
        requests=requests,
        service=the_service,
        tailnet=the_tailnet,
        auth_key=seen(auth_key)[0],
        key_days=patient.settings.tailnet.key_days,
        cluster=the_cluster,
        minutes=seen(ran)[0],
        free_minutes=_free_minutes(patient.settings),
        programs=patient.programs(),
        seconds={
            "cloud run": service_seconds,
            "tailnet": tailnet_seconds,
            "kubernetes": cluster_seconds,
        },
        address_expires=None if isinstance(expires, NotSeen) else expires,
        kubeconfig_expires=patient.kubeconfig_expires(),
        drift=patient.drift() if with_drift else (),
        now=datetime.now(UTC),
    )
