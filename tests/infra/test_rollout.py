from __future__ import annotations

import math
from typing import Any

import pytest

from infra.home_k3s.rollout import NoneWanted, NotYet, Seen, Served, standing
from tests.support.home_cluster import SERVED, deployment, pod, replica_set, starting


def of(**counts: Any) -> Seen:
    return Seen(deployment(**counts), [replica_set(3)], [])


def test_a_change_is_served_once_every_pod_is_new_and_ready() -> None:
    assert standing(SERVED) == Served()
    assert standing(of(wanted=2, pods=2, updated=2, available=2)) == Served()


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param({"observed": 2}, id="not looked at yet"),
        pytest.param({"pods": 2}, id="an old pod is left"),
        pytest.param({"updated": 0}, id="the pod is an old one"),
        pytest.param({"available": 0}, id="the pod is not ready"),
        pytest.param({"pods": 0, "updated": 0, "available": 0}, id="between the two"),
    ],
)
def test_a_change_is_not_served_while(counts: dict[str, int]) -> None:
    assert isinstance(standing(of(**counts)), NotYet)


def test_a_server_scaled_to_zero_by_hand_is_not_waited_for() -> None:
    assert standing(of(wanted=0, pods=0, updated=0, available=0)) == NoneWanted()
    # The one before it may still be ending, and whether the change was looked at comes first.
    assert standing(of(wanted=0, pods=1, updated=0, available=0)) == NoneWanted()
    assert isinstance(standing(of(wanted=0, observed=2)), NotYet)


@pytest.mark.parametrize(
    ("waiting", "restarts", "patience"),
    [
        (("CrashLoopBackOff", "back-off 10s"), 0, math.inf),
        (("CrashLoopBackOff", "back-off 20s"), 1, 0),
        (("ErrImagePull", "docker.io/x/y:1: not found"), 0, 0),
        (("ImagePullBackOff", "pull access denied"), 0, 0),
        (("ImagePullBackOff", "manifest unknown"), 0, 0),
        (("ErrImagePull", "unauthorized: authentication required"), 0, 0),
        (("ImagePullBackOff", "the repository does not exist"), 0, 0),
        (("ErrImagePull", "dial tcp: lookup registry: no such host"), 0, math.inf),
        (("ErrImagePull", "429 Too Many Requests"), 0, math.inf),
        (("InvalidImageName", "couldn't parse image name"), 0, 0),
        (("ErrImageNeverPull", "it is not there"), 0, 0),
        (("CreateContainerConfigError", 'secret "x" not found'), 0, 60),
        (("CreateContainerError", "the name is in use"), 0, 60),
        (("RunContainerError", "no runtime for nvidia is configured"), 0, 60),
    ],
)
def test_how_long_a_pod_may_say_so(
    waiting: tuple[str, str], restarts: int, patience: float
) -> None:
    found = standing(starting(pod(waiting=waiting, restarts=restarts)))
    assert isinstance(found, NotYet)
    assert found.patience_seconds == patience
    assert found.reason == ": ".join(waiting)


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_a_pod_that_is_being_made_is_told_in_plain_words(reason: str) -> None:
    found = standing(starting(pod(waiting=(reason, ""), restarts=0)))
    assert found == NotYet("the image is being downloaded, or the container made")


def test_a_pod_that_dies_again_and_again_has_last_words() -> None:
    found = standing(starting(pod(waiting=("CrashLoopBackOff", "back-off 20s"), restarts=1)))
    assert isinstance(found, NotYet)
    assert found.died == ("vllm-qwen-3", "vllm")


def test_a_pod_that_died_twice_is_told_before_the_kubelet_says_that_it_waits() -> None:
    """Between the end and the next look it says no more than that the container ended."""
    once, twice = (standing(starting(pod(exit_code=1, restarts=n))) for n in (0, 1))
    died = ("vllm-qwen-3", "vllm")
    assert once == NotYet("Error: vllm ended with exit code 1", math.inf, died)
    assert twice == NotYet("Error: vllm ended with exit code 1", 0, died)


def test_what_the_kubelet_put_out_is_not_held_against_the_pod_in_its_place() -> None:
    said = ("OutOfnvidia.com/gpu", "Pod was rejected: Node didn't have enough resource")
    assert standing(starting(pod(put_out=said), pod())) == NotYet("vllm is starting")
    assert standing(starting(pod(put_out=said))) == NotYet(": ".join(said), 180)


def test_a_pod_that_no_node_takes_is_given_three_minutes() -> None:
    assert standing(starting(pod(unscheduled="Insufficient nvidia.com/gpu"))) == NotYet(
        "no node takes the pod: Insufficient nvidia.com/gpu", 180
    )


def test_a_pod_that_is_refused_is_told_with_the_reason() -> None:
    seen = Seen(deployment(pods=0, updated=0, available=0, refused="exceeded quota"), [], [])
    assert standing(seen) == NotYet("no pod can be made: exceeded quota")


def test_what_is_wrong_with_an_older_pod_is_not_held_against_the_new_one() -> None:
    broken = pod(revision=2, waiting=("CrashLoopBackOff", "back-off 5m"), restarts=40)
    assert standing(starting(broken)) == NotYet("the old pod is ending")
    assert standing(starting(broken, pod())) == NotYet("vllm is starting")
    ending = pod(waiting=("CrashLoopBackOff", "back-off 5m"), restarts=40, ending=True)
    assert standing(starting(ending)) == NotYet("the old pod is ending")


def test_how_often_a_pod_was_restarted_is_told() -> None:
    assert standing(starting(pod(restarts=2))) == NotYet("vllm is starting after 2 restarts")
