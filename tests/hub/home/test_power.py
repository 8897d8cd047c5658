"""`hub home stop`, `start`, `free` and `take`: what they do on the server, in order."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.home.machine import FILES
from infra.home_k3s.names import MODEL, NAMESPACE
from tests.support.home_server import Server, server

__all__ = ["server"]
Run = Callable[..., str]


@pytest.fixture
def home(server: Server) -> Server:
    """A server whose K3s runs, and in it the model."""
    (server.root / "state/k3s").write_text("v1.36.4+k3s1\n")
    (server.root / "state/active/k3s.service").touch()
    (server.root / "state/cluster").mkdir()
    (server.root / "state/cluster/model-pod").write_text("pod/vllm-qwen-1\n")
    (server.root / "state/gpu-memory").write_text("24200, 24576\n")
    (server.root / "etc/rancher/k3s").mkdir(parents=True)
    (server.root / "etc/rancher/k3s/config.yaml").write_text('node-name: "home"\n')
    for name in ("k3s", "k3s-killall.sh", "tailscale"):
        (server.root / "usr/local/bin" / name).symlink_to("/standin/any")
    return server


@pytest.fixture
def hub(home: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    home.stands_for_each_host(monkeypatch)

    def run(*arguments: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, ["home", *arguments])
        assert done.exit_code == exit_code, done.output
        return done.output

    return run


def test_the_scripts_name_what_the_program_makes() -> None:
    for name in ("stop", "free", "take", "start"):
        text = (FILES / f"{name}.sh").read_text()
        assert f"-n {NAMESPACE} " in text
        assert MODEL in text


def test_stopping_lets_answers_end_before_k3s_and_leaves_no_trace_in_the_cluster(
    home: Server, hub: Run
) -> None:
    hub("stop")
    assert home.changes() == [
        "k3s kubectl cordon home",
        ("k3s kubectl -n vlm delete pod -l app=vllm-qwen --wait --timeout=120s --ignore-not-found"),
        "k3s kubectl uncordon home",
        "systemctl stop k3s.service",
        "k3s-killall.sh kills the rest",
    ]


def test_a_stop_does_not_wait_for_an_api_server_that_is_silent(home: Server, hub: Run) -> None:
    hub("stop")
    [first, *others] = home.calls("k3s kubectl")
    assert first == "k3s kubectl --request-timeout=10s get node home"
    assert all("--request-timeout=10s" in call or "--timeout=120s" in call for call in others)


def test_a_start_waits_two_minutes_for_the_node_then_says_that_it_failed(
    home: Server, hub: Run
) -> None:
    (home.root / "standin/timeout").unlink()
    (home.root / "standin/timeout").write_text(
        '#!/bin/sh\necho "timeout $*" >>/state/calls\nexit 124\n'
    )
    (home.root / "standin/timeout").chmod(0o755)
    assert "`hub home start` stopped there" in hub("start", exit_code=1)
    [bounded] = home.calls("timeout")
    assert bounded.startswith("timeout 120 sh -c until k3s kubectl wait")
    assert home.changes() == ["systemctl start k3s.service"]


def test_the_machine_is_switched_off_last_and_only_when_asked(home: Server, hub: Run) -> None:
    hub("stop", "--power-off")
    assert home.changes()[-1] == "systemctl --no-block poweroff"


def test_a_stop_that_cannot_wait_for_the_answers_ends_there_and_the_node_takes_pods_again(
    home: Server, hub: Run
) -> None:
    (home.root / "state/refuses").write_text("-n")
    shown = hub("stop", exit_code=1)
    assert "`hub home check` shows what is the matter" in shown
    assert home.changes()[-1] == "k3s kubectl uncordon home"
    assert "systemctl stop k3s.service" not in home.changes()


def test_a_k3s_that_was_there_before_calls_its_node_as_the_machine_is_called(
    home: Server, hub: Run
) -> None:
    name = platform.node().lower()
    (home.root / "etc/rancher/k3s/config.yaml").unlink()
    (home.root / "state/node").write_text(name)
    hub("stop")
    assert home.changes()[0] == f"k3s kubectl cordon {name}"
    home.live_on()
    hub("start")
    assert home.changes()[1:3] == [
        f"k3s kubectl wait --for=condition=Ready node/{name} --timeout=30s",
        f"k3s kubectl uncordon {name}",
    ]


def test_a_k3s_that_does_not_run_is_still_cleared_away(home: Server, hub: Run) -> None:
    (home.root / "state/active/k3s.service").unlink()
    hub("stop")
    assert home.changes() == ["systemctl stop k3s.service", "k3s-killall.sh kills the rest"]


def test_starting_waits_for_the_model(home: Server, hub: Run) -> None:
    hub("start")
    assert home.changes() == [
        "systemctl start k3s.service",
        "k3s kubectl wait --for=condition=Ready node/home --timeout=30s",
        "k3s kubectl uncordon home",
        "k3s kubectl -n vlm rollout status deployment/vllm-qwen --timeout=1800s",
    ]


def test_starting_after_the_gpu_was_given_away_says_that_the_model_stays_off(
    home: Server, hub: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    (home.root / "state/cluster/replicas").write_text("0")
    hub("start")
    assert home.changes() == [
        "systemctl start k3s.service",
        "k3s kubectl wait --for=condition=Ready node/home --timeout=30s",
        "k3s kubectl uncordon home",
    ]
    assert "The model stays off" in (said := capfd.readouterr().err)
    assert "hub home take starts it" in said


def test_the_gpu_is_free_when_the_models_pod_is_gone(
    home: Server, hub: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    hub("free")
    assert home.changes() == [
        "k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=0",
        (
            "k3s kubectl -n vlm wait --for=delete pod --timeout=120s "
            "-l app=vllm-qwen --field-selector=status.phase!=Failed"
        ),
    ]
    assert "312 MiB, 24576 MiB" in capfd.readouterr().err


def test_freeing_a_free_gpu_waits_for_nothing(home: Server, hub: Run) -> None:
    (home.root / "state/cluster/model-pod").unlink()
    hub("free")
    assert home.changes() == ["k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=0"]


def test_a_pod_that_a_boot_has_left_refused_is_not_waited_for(home: Server, hub: Run) -> None:
    (home.root / "state/cluster/model-pod").unlink()
    (home.root / "state/cluster/refused-pod").write_text("pod/vllm-qwen-0\n")
    hub("free")
    assert home.changes() == ["k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=0"]


def test_beside_a_refused_pod_the_gpu_is_looked_at_before_it_is_taken(
    home: Server, hub: Run
) -> None:
    (home.root / "state/cluster/model-pod").unlink()
    (home.root / "state/cluster/refused-pod").write_text("pod/vllm-qwen-0\n")
    (home.root / "state/gpu-memory").write_text("1000, 24576\n")
    hub("take", exit_code=1)
    assert home.changes() == []


def test_the_gpu_is_not_taken_from_a_game_that_still_runs(
    home: Server, hub: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    (home.root / "state/cluster/model-pod").unlink()
    (home.root / "state/gpu-memory").write_text("22118, 24576\n")  # 0.9 of it are 22118.4
    hub("take", exit_code=1)
    assert home.changes() == []
    shown = capfd.readouterr().err
    assert "The model needs 0.9 of the GPU's memory, and of 22118, 24576 MiB" in shown
    assert "4711 G game.exe 9012MiB" in shown


def test_taking_the_gpu_back_waits_for_the_model(home: Server, hub: Run) -> None:
    (home.root / "state/cluster/model-pod").unlink()
    (home.root / "state/gpu-memory").write_text("22119, 24576\n")
    hub("take")
    assert home.changes() == [
        "k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=1",
        "k3s kubectl -n vlm rollout status deployment/vllm-qwen --timeout=1800s",
    ]


@pytest.mark.parametrize("name", ["stop", "start", "free", "take"])
def test_without_k3s_each_command_says_how_to_get_it(name: str, home: Server, hub: Run) -> None:
    (home.root / "state/k3s").unlink()
    assert "`hub home install`" in hub(name, exit_code=1)
    assert home.changes() == []
