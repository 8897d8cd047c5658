"""What mends the model differs: a server has `hub home`, the twin has its own kubectl."""

from __future__ import annotations

from pathlib import Path

import yaml

from doctor.examination import of_stack, of_twin
from infra.config import Settings
from twin.paths import TwinPaths

ROOT = Path(__file__).parents[2]


def settings(stack: str) -> Settings:
    file = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return Settings.model_validate(file["config"]["personal-cloud-hub:settings"])


def test_on_a_home_server_the_gpu_is_taken_back_where_something_else_may_hold_it() -> None:
    patient = of_stack("dev", "https://gateway", "key", settings("dev"))
    assert patient.take == "hub home take --host USER@HOST"


def test_on_the_twin_its_own_kubectl_starts_the_model_again(tmp_path: Path) -> None:
    patient = of_twin(TwinPaths(tmp_path), "/bin", "http://gateway", "key", settings("twin"))
    assert patient.take == (
        'eval "$(hub env)"; kubectl -n vlm scale deployment/vllm-qwen --replicas=1'
    )
