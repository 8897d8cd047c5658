from __future__ import annotations

import asyncio

import pytest

from infra.home_k3s import model_wait
from infra.home_k3s.cluster import NotReachedError
from infra.home_k3s.model_wait import Told, until_served
from infra.home_k3s.rollout import Seen
from tests.support.home_cluster import SERVED, FakeHome, deployment, pod, starting

OFF = NotReachedError("Connection refused")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_wait, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(model_wait, "REACH_SECONDS", 0.05)


def wait(home: FakeHome, seconds: float = 5) -> tuple[Told, list[str]]:
    told: list[str] = []
    return asyncio.run(until_served(home, "vllm-qwen", seconds, told.append)), told


def test_each_reason_for_waiting_is_told_once_until_the_model_is_served() -> None:
    ending, loading = starting(), starting(pod())
    home = FakeHome([ending, ending, loading, loading, SERVED])
    assert wait(home) == (
        Told("info", "vllm-qwen is served"),
        ["the old pod is ending", "vllm is starting"],
    )


def test_a_pod_that_dies_twice_ends_the_wait_with_its_last_words() -> None:
    died = starting(pod(waiting=("CrashLoopBackOff", "back-off 20s"), restarts=1))
    home = FakeHome([starting(pod()), died], words="no such revision\nbye")
    told, _ = wait(home)
    assert told.level == "error"
    assert "CrashLoopBackOff: back-off 20s" in told.text
    assert "Its last words:\n  no such revision\n  bye\n" in told.text
    assert home.asked == [("vllm-qwen-3", "vllm")]


def test_of_a_long_log_the_error_is_told_else_its_last_lines() -> None:
    died = starting(pod(waiting=("CrashLoopBackOff", "back-off 20s"), restarts=1))
    after = "\n".join(f"line {n}" for n in range(100))
    told, _ = wait(FakeHome([died], words=f"ValueError: no memory\n{after}"))
    assert "Its last words:\n  ValueError: no memory\nThe one before" in told.text
    told, _ = wait(FakeHome([died], words=after))
    assert "Its last words:\n  line 85\n" in told.text


def test_a_pod_that_never_gets_ready_ends_the_wait_at_the_deadline() -> None:
    told, _ = wait(FakeHome([starting(pod())]), seconds=0.1)
    assert told.level == "error"
    assert "vllm is starting" in told.text


def test_a_short_trouble_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.home_k3s.rollout.PATIENCE_SECONDS", {"CreateContainerError": 60})
    trouble = starting(pod(waiting=("CreateContainerError", "busy")))
    told, _ = wait(FakeHome([trouble, trouble, SERVED]))
    assert told.level == "info"


def test_a_trouble_whose_details_change_is_still_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.home_k3s.rollout.PATIENCE_SECONDS", {"CreateContainerError": 0.05})
    says = [starting(pod(waiting=("CreateContainerError", f"try {i}"))) for i in range(200)]
    home = FakeHome(says)
    told, _ = wait(home)
    assert told.level == "error"
    assert home.looks < 100


def test_a_home_that_is_off_is_told_and_is_no_error() -> None:
    told, _ = wait(FakeHome([OFF]))
    assert told.level == "warning"
    assert "Home was not reached (Connection refused)" in told.text
    assert "a key that was removed is refused there" in told.text


def test_an_api_server_that_restarts_meanwhile_is_waited_for() -> None:
    assert wait(FakeHome([starting(), *[OFF] * 20, SERVED]))[0].level == "info"


def test_a_server_scaled_to_zero_is_told_with_the_lines_that_start_it() -> None:
    resting = Seen(deployment(wanted=0, pods=0, updated=0, available=0), [], [])
    told, _ = wait(FakeHome([resting]))
    assert told.level == "warning"
    assert "`hub home take` on the home server" in told.text
    assert "kubectl -n vlm scale deployment/vllm-qwen --replicas=1" in told.text
