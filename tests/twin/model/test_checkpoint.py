"""The small model's files, and where they are put; that it sees is tried on the twin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from app.model.profiles import PROFILES
from app.model.shape import Language, Vision
from twin.model import checkpoint

ROOT = Path(__file__).parents[3]


def test_the_profiles_revision_names_the_files_that_are_here() -> None:
    assert checkpoint.revision_of(checkpoint.FILES) == checkpoint.REVISION


def test_the_revision_changes_with_a_files_bytes_and_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = checkpoint.revision_of(tmp_path)
    (tmp_path / "a").write_text("2")
    second = checkpoint.revision_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, checkpoint.revision_of(tmp_path)}) == 3


def test_the_twins_stack_serves_that_profile() -> None:
    stack = yaml.safe_load((ROOT / "Pulumi.twin.yaml").read_text())
    model = stack["config"]["personal-cloud-hub:settings"]["model"]
    assert model == {"profile": "tiny"}


def test_the_files_are_small_enough_for_a_repository() -> None:
    assert sum(file.stat().st_size for file in checkpoint.FILES.iterdir()) <= 20_000_000


def test_the_profile_says_what_the_configuration_says() -> None:
    config = json.loads((checkpoint.FILES / "config.json").read_text())
    profile = PROFILES["tiny"]
    assert config["architectures"] == ["Qwen2_5_VLForConditionalGeneration"]
    text, vision = config["text_config"], config["vision_config"]
    assert profile.language == Language(
        layers=text["num_hidden_layers"],
        hidden_size=text["hidden_size"],
        heads=text["num_attention_heads"],
        kv_heads=text["num_key_value_heads"],
        head_width=text["hidden_size"] // text["num_attention_heads"],
        intermediate_size=text["intermediate_size"],
        vocabulary=text["vocab_size"],
    )
    assert profile.vision == Vision(
        layers=vision["depth"],
        hidden_size=vision["hidden_size"],
        intermediate_size=vision["intermediate_size"],
        whole_picture_layers=len(vision["fullatt_block_indexes"]),
        out_hidden_size=vision["out_hidden_size"],
    )
    pictures = json.loads((checkpoint.FILES / "processor_config.json").read_text())
    size = pictures["image_processor"]["size"]
    bounds = (profile.min_pixels, profile.max_pixels)
    assert (size["shortest_edge"], size["longest_edge"]) == bounds


def test_a_checkpoint_stands_where_vllm_looks_for_a_downloaded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "config.json").write_text("{}")
    monkeypatch.setattr(checkpoint, "FILES", made)
    checkpoint.seed(tmp_path / "hf")
    repository = tmp_path / "hf/hub/models--personal-cloud-hub--tiny-vl"
    there = repository / "snapshots" / checkpoint.REVISION / "config.json"
    assert there.read_text() == "{}"
    assert (repository / "refs/main").read_text() == checkpoint.REVISION
    there.write_text('{"kept": true}')
    checkpoint.seed(tmp_path / "hf")
    assert there.read_text() == '{"kept": true}', "seeding again changes nothing that is there"
