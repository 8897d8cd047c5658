"""What mends the model differs: a server has `hub home`, the twin has its own kubectl."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from doctor.observations import NotSeen
from doctor.patient import of_stack, of_twin
from infra.config import Settings
from twin.engine import Engine
from twin.paths import TwinPaths
from twin.settings import TwinSettings

ROOT = Path(__file__).parents[2]


def settings(stack: str) -> Settings:
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return Settings.model_validate(file["config"]["personal-cloud-hub:settings"])


def test_on_a_home_server_the_gpu_is_taken_back_where_something_else_may_hold_it() -> None:
    no_key = NotSeen(why="no auth key is stored")
    patient = of_stack("dev", "https://gateway", "key", settings("dev"), no_key)
    assert patient.take == "hub home take --host USER@HOST"
    assert patient.auth_key() == no_key


def test_only_a_refresh_notices_what_was_changed_by_hand() -> None:
    expires = datetime(2026, 12, 1, tzinfo=UTC)
    patient = of_stack("dev", "https://gateway", "key", settings("dev"), expires)
    assert patient.refresh == "pulumi up --stack dev --refresh"
    assert patient.auth_key() == expires


def test_on_the_twin_its_own_kubectl_starts_the_model_again(tmp_path: Path) -> None:
    ports = TwinSettings(
        gateway_port=1, client_port=2, kubernetes_port=3, providers_port=4, network="auto"
    )
    engine = Engine(TwinPaths(tmp_path), ports, "/bin")
    patient = of_twin(engine, "key", settings("twin"))
    assert patient.url == "http://127.0.0.1:1"
    assert patient.take == (
        'eval "$(hub env)"; kubectl -n vlm scale deployment/vllm-qwen --replicas=1'
    )
