"""`hub plan`, where no twin runs and where one has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.app.model.forecast.test_vllm_log import CPU, GPU
from tests.infra.test_cluster import api_server, kubeconfig, pod
from tests.support.http_server import serving

runner = CliRunner()
NUMBERS = (
    *("--users", "--answer", "--gpu-memory", "--requests", "--awake", "--home-hours"),
    *("--kwh", "--idle-watts"),
)
"""The options that are one."""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUB_STATE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # with no ~/.kube/config
    return tmp_path


def run(*arguments: str, exit_code: int = 0) -> str:
    done = runner.invoke(app, ["plan", *arguments])
    assert done.exit_code == exit_code, done.output
    return done.output


def data(*arguments: str) -> dict[str, Any]:
    return json.loads(run("--json", *arguments))


def row(shown: str, title: str) -> list[str]:
    """The cells of a table's row."""
    [line] = [line for line in shown.splitlines() if line.strip().startswith(title + "  ")]
    return [cell.strip() for cell in line.split(title, 1)[1].split("  ") if cell.strip()]


def test_all_profiles_stand_side_by_side_in_100_columns() -> None:
    shown = run()
    assert max(map(len, shown.splitlines())) <= 100
    assert row(shown, "KV cache holds") == [
        "78,784 tokens",
        "225,072 tokens",
        "58,768 tokens",
    ]
    assert "list prices of" in shown


def test_a_request_of_another_shape_fits_more_often_and_is_answered_sooner() -> None:
    [large] = data("--profile", "7b", "--picture", "1920x1080")["profiles"]
    [small] = data("--profile", "7b", "--picture", "none", "--answer", "50")["profiles"]
    assert (large["request_tokens"], small["request_tokens"]) == (1296 + 2 + 100 + 300, 150)
    assert small["speed"]["first_token_seconds"] < large["speed"]["first_token_seconds"]


def test_more_users_wait_longer() -> None:
    one, eight = (
        data("--profile", "7b", "--users", users)["profiles"][0]["speed"] for users in ("1", "8")
    )
    assert one["first_token_seconds"] < eight["first_token_seconds"]
    assert one["tokens_per_second"] < eight["tokens_per_second"]


def test_the_bill_follows_the_use() -> None:
    month = data("--requests", "10", "--awake", "30", "--kwh", "1", "--idle-watts", "100")["month"]
    assert month["cloud_run"] == 0  # 54,750 s are within the free tier
    assert month["electricity"] == pytest.approx(73, abs=2)  # 100 W for 730 h
    busy = data("--requests", "100", "--awake", "1440")["month"]
    assert busy["cloud_run"] > 100
    assert busy["egress_gb"] == pytest.approx(10 * month["egress_gb"])


def test_the_bill_follows_the_requests_shape_and_the_hours_at_home() -> None:
    use = ("--profile", "7b", "--requests", "1000", "--awake", "180")
    month = data(*use)["month"]
    # 30,417 requests: pictures of 786,432 pixels at 0.5 bytes, answers of 300 tokens at 216
    assert month["egress_gb"] == pytest.approx(30_416.7 * 458_016 / 1e9, rel=1e-4)
    assert data(*use, "--picture", "none")["month"]["egress_gb"] < month["egress_gb"] / 4
    # 80 W for 730 h, and 334 W for 8.87 s a request, which writes 33.8 tokens a second
    assert month["kwh"] == pytest.approx(58.4 + 30_416.7 * 8.87 * 334 / 3.6e6, rel=0.01)
    assert data(*use, "--home-hours", "12")["month"]["kwh"] == pytest.approx(month["kwh"] - 29.2)


def test_a_profile_that_does_not_fit_is_shown_and_refused_with_the_nearest() -> None:
    shown = run("--profile", "7b", "--gpu-memory", "11.6", exit_code=1)
    assert row(shown, "fits") == ["no"]
    told = " ".join(shown.split())
    assert "profile 7b does not fit a GPU of 11.6 GiB" in told
    assert "the nearest profile that fits is 7b-awq" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "8b"], "No profile is named '8b'; there are: 7b, 7b-awq, 3b, tiny"),
        (["--profile", "7b", "--profile", "3b"], "7b and 3b may use 33.2 GiB together"),
        (["--picture", "large"], "write WIDTHxHEIGHT in pixels, or none"),
        (["--picture", "9000x10"], "longer than 200 times"),
        (["--answer", "9000", "--profile", "7b"], "longest answer to this question has 7,091"),
        (["--picture", "9000x9000"], "about 40 MB, and a request 31 at most"),
        (
            ["--region", "nowhere"],
            "'nowhere' is no region of Cloud Run; there are: africa-south1, asia",
        ),
        (
            ["--requests", "1000", "--awake", "60"],
            "busy for 148.3 minutes, and the gateway is awake",
        ),
        (["--home-hours", "0"], "busy for 7.4 minutes, and home is on for 0"),
        (["--calibrate"], "Set KUBECONFIG, or start a twin"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(arguments: list[str], words: str) -> None:
    assert words in " ".join(run(*arguments, exit_code=1).split())


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("number", ["-1", "nan", "inf", "1e300", "-inf", "x", ""])
def test_a_number_without_sense_is_refused_with_its_options_name(option: str, number: str) -> None:
    assert f"'{option}'" in run(option, number, exit_code=2)


@pytest.mark.parametrize("option", NUMBERS)
def test_a_number_that_is_too_large_is_no_traceback_and_no_bill(option: str) -> None:
    done = runner.invoke(app, ["plan", option, "9" * 30])
    assert done.exit_code in {1, 2}, done.output
    assert isinstance(done.exception, SystemExit)
    assert "Invalid value" in done.output or "This cannot be" in done.output


def test_the_speed_is_said_to_be_that_of_a_3090_whatever_the_memory() -> None:
    assert row(run("--profile", "7b", "--gpu-memory", "79.1"), "speed of") == ["an RTX 3090"]


def a_twin_has_written(state: Path, log: str, pod: str = "5d4c-x7x2p", written: int = 2) -> None:
    (state / "twin.json").write_text("{}")
    file = state / "logs" / "pods" / f"vlm_vllm-qwen-{pod}" / "vllm.log"
    file.parent.mkdir(parents=True)
    file.write_text(log)
    os.utime(file, (written, written))


def test_calibrate_puts_the_twins_figures_beside_the_forecast(state: Path) -> None:
    a_twin_has_written(state, CPU)
    shown = run("--calibrate")
    assert "personal-cloud-hub/tiny-vl on CPU" in shown
    assert row(shown, "KV cache, tokens") == ["279,552", "279,552"]
    [plan] = data("--calibrate")["profiles"]
    assert (plan["profile"], plan["memory"]["kv_tokens"]) == ("tiny", 279_552)
    assert plan["memory"]["reported"] == ["kv_gib", "kv_tokens"]


def test_calibrate_asks_the_cluster_that_the_environment_names_before_the_twin(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_twin_has_written(state, CPU)
    of_a_gpu = GPU.replace("a/b", "Qwen/Qwen2.5-VL-7B-Instruct")
    with serving(api_server([pod("vllm-qwen-1", "2026-11-26T02:00:00Z")], of_a_gpu)) as port:
        file = state / "home.yaml"
        file.write_text(kubeconfig(port))
        monkeypatch.setenv("KUBECONFIG", str(file))
        assert data("--calibrate")["vllm_log"]["device"] == "GPU"
    monkeypatch.setenv("KUBECONFIG", str(state / "none.yaml"))
    told = " ".join(run("--calibrate", exit_code=1).split())
    assert "KUBECONFIG names the cluster that was asked" in told
    monkeypatch.delenv("KUBECONFIG")
    assert data("--calibrate")["vllm_log"]["device"] == "CPU"


def test_calibrate_uses_a_gpus_figures_for_what_fits(state: Path) -> None:
    a_twin_has_written(state, GPU.replace("a/b", "Qwen/Qwen2.5-VL-7B-Instruct"))
    shown = run("--calibrate")
    assert row(shown, "weights, GiB") == ["15.44", "15.26"]
    assert row(shown, "vLLM's share")[0] == "22.0 of 23.6 GiB"
    [plan] = data("--calibrate")["profiles"]
    assert plan["memory"]["kv_tokens"] == 100_000


def test_the_newest_pod_of_the_twin_counts(state: Path) -> None:
    a_twin_has_written(state, "nothing\n", pod="a", written=1)
    a_twin_has_written(state, CPU, pod="b", written=3)
    a_twin_has_written(state, "nothing\n", pod="c", written=2)
    assert data("--calibrate")["vllm_log"]["kv_tokens"] == 279_552


def test_what_vllm_has_started_is_not_refused_by_the_forecast(state: Path) -> None:
    small = GPU.replace("a/b", "Qwen/Qwen2.5-VL-7B-Instruct").replace("/23.56 GiB", "/16.00 GiB")
    a_twin_has_written(state, small)
    assert row(run("--calibrate"), "fits") == ["yes"]


def test_calibrate_tells_what_is_missing_in_a_log(state: Path) -> None:
    a_twin_has_written(state, GPU)
    assert "serves a/b, which is none of the profiles" in run("--calibrate", exit_code=1)
    file = next(state.rglob("vllm.log"))
    file.write_text("nothing\n")
    assert "rollout restart" in " ".join(run("--calibrate", exit_code=1).split())
    file.unlink()
    assert "No model server has run in this twin yet" in run("--calibrate", exit_code=1)
