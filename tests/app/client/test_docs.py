"""The guide's programs run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from app.client import Timeouts
from tests.app.client.fake_service import FakeService

ROOT = Path(__file__).parents[3]
STAND_INS = Path(__file__).parent / "stand_ins"
"""Of the packages that robots have and this repository has not."""
GUIDE = (ROOT / "docs" / "client.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
CUP = '[{"bbox_2d": [14, 28, 54, 68], "label": "red cup"}]'
BOX = {"label": "red cup", "xyxy": [14.0, 28.0, 54.0, 68.0]}


@pytest.fixture
def table(tmp_path: Path, service: FakeService) -> Path:
    service.card = {"id": "vlm", "root": "Qwen/Qwen2.5-VL-7B-Instruct", "max_model_len": 8192}
    service.pieces = [CUP]
    Image.new("RGB", (280, 224), "grey").save(tmp_path / "table.jpg")
    return tmp_path


def run(number: int, folder: Path, service: FakeService) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAMS[number]],
        cwd=folder,
        env={
            "PYTHONPATH": f"{ROOT}:{STAND_INS}",
            "OPENAI_BASE_URL": service.url,
            "OPENAI_API_KEY": "sk-test",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_program_of_the_guide_is_run_below() -> None:
    assert len(PROGRAMS) == 6


def test_the_quick_start(table: Path, service: FakeService) -> None:
    assert run(0, table, service) == f"{CUP}\nred cup (14.0, 28.0, 54.0, 68.0)\n"


def test_from_an_event_loop(table: Path, service: FakeService) -> None:
    assert run(1, table, service) == "[1, 1]\n"
    texts = {asked["messages"][0]["content"][1]["text"].split()[2] for asked in service.asked}
    assert texts == {"cup", "plate"}


def test_drawing_and_exporting(table: Path, service: FakeService) -> None:
    told, coco = run(2, table, service).splitlines()
    assert json.loads(told)["boxes"] == [BOX]
    assert json.loads(coco)["images"][0]["file_name"] == "table.jpg"
    with Image.open(table / "found.png") as found:
        assert found.getpixel((14, 60)) == (230, 25, 75)


def test_an_answer_as_it_comes(table: Path, service: FakeService) -> None:
    service.pieces = ["Hi", " there"]
    assert re.fullmatch(r"Hi there2 tokens in \d+\.\d s\n", run(3, table, service))
    assert service.asked[0]["messages"][0] == {"role": "system", "content": "Be short."}
    assert service.asked[0]["max_tokens"] == 100


def test_to_supervision(table: Path, service: FakeService) -> None:
    assert run(4, table, service) == "1 [14. 28. 54. 68.]\n"


def test_to_ros_2(table: Path, service: FakeService) -> None:
    told = run(5, table, service)
    assert "Header(frame_id='camera')" in told
    assert "ObjectHypothesis(class_id='red cup', score=nan)" in told
    assert (
        "BoundingBox2D(center=Pose2D(position=Point2D(x=34.0, y=48.0), theta=0.0), "
        "size_x=40.0, size_y=40.0)"
    ) in told


def test_the_times_in_the_guide_are_the_clients() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", GUIDE, re.MULTILINE)
    assert {name: float(seconds) for name, seconds in rows} == asdict(Timeouts())
