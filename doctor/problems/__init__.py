"""What is wrong at a hop, as far as it was seen: each thing with its cause and what mends it."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Cluster, Observations, Reply, Tailnet
from doctor.problems.answers import of_the_answers
from doctor.problems.certificates import of_certificates
from doctor.problems.cloud_run import of_cloud_run
from doctor.problems.cluster import of_the_cluster
from doctor.problems.drift import of_drift
from doctor.problems.model import of_the_model
from doctor.problems.pod import of_the_pod
from doctor.problems.problem import Problem
from doctor.problems.programs import of_programs
from doctor.problems.sizes import of_the_sizes
from doctor.problems.tailnet import of_the_auth_key, of_the_minutes, of_the_tailnet

__all__ = ["Problem", "problems"]


def problems(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    """Of all hops; ``failed`` is the request that did not get through."""
    yield from of_programs(seen)
    yield from of_the_answers(seen, failed)
    yield from of_cloud_run(seen)
    yield from of_the_auth_key(seen)
    if isinstance(seen.tailnet, Tailnet):
        yield from of_the_tailnet(seen, seen.tailnet, failed)
    if isinstance(seen.cluster, Cluster):
        yield from of_the_cluster(seen, seen.cluster, failed)
        if seen.cluster.ours:
            yield from of_the_pod(seen, seen.cluster)
    yield from of_the_model(seen, failed)
    yield from of_the_sizes(seen, failed)
    yield from of_the_minutes(seen)
    yield from of_certificates(seen)
    yield from of_drift(seen)
