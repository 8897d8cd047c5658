"""Where the small checkpoint is put; making it needs torch and is tried on the twin."""

from __future__ import annotations

from pathlib import Path

import yaml

from app.model.tiny_checkpoint import REVISION, hub_folder, seed

ROOT = Path(__file__).parents[3]


def test_the_twins_stack_pins_the_recipe_that_is_made() -> None:
    stack = yaml.safe_load((ROOT / "Pulumi.twin.yaml").read_text())
    model = stack["config"]["personal-cloud-hub:settings"]["model"]
    assert model == {"profile": "tiny", "revision": REVISION}


def test_a_checkpoint_stands_where_vllm_looks_for_a_downloaded_model(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "config.json").write_text("{}")
    seed(made, tmp_path / "hf")
    repository = tmp_path / "hf/hub/models--personal-cloud-hub--tiny-vl"
    assert (repository / "snapshots" / REVISION / "config.json").read_text() == "{}"
    assert (repository / "refs/main").read_text() == REVISION


def test_seeding_again_changes_nothing_that_is_there(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "config.json").write_text("{}")
    seed(made, tmp_path / "hf")
    there = hub_folder(tmp_path / "hf") / "config.json"
    there.write_text('{"kept": true}')
    seed(made, tmp_path / "hf")
    assert there.read_text() == '{"kept": true}'
