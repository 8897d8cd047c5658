"""What each Python in vLLM's container runs at its start, run by one here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.model import serving
from tests.support.pictures import png_that_lies, saved

AS_VLLM_DOES = """
import io, sys
from PIL import Image
try:
    Image.open(io.BytesIO(sys.stdin.buffer.read())).load()
except (OSError, ValueError) as error:
    print("refused:", error)
"""


def answer(picture: bytes, at_start: Path | None) -> str:
    """What is printed, or the name of the error that ended it."""
    done = subprocess.run(
        [sys.executable, "-c", AS_VLLM_DOES],
        env={**os.environ, "PYTHONPATH": str(at_start or "")},
        input=picture,
        capture_output=True,
        check=False,
    )
    *_, last = (done.stdout + done.stderr).decode().splitlines() or [""]
    return last


@pytest.fixture
def at_start(tmp_path: Path) -> Path:
    shutil.copy(Path(serving.__file__).with_name("unreadable.py"), tmp_path / "sitecustomize.py")
    return tmp_path


@pytest.mark.parametrize(
    ("picture", "without", "refused"),
    [
        pytest.param(
            png_that_lies(60_000, 60_000),
            "PIL.Image.DecompressionBombError: Image size (3600000000 pixels)",
            "refused: Image size (3600000000 pixels) exceeds limit of 178956970 pixels",
            id="more pixels than Pillow opens",
        ),
        pytest.param(
            saved("AVIF")[:-40],
            "SyntaxError: Failed to decode frame 0: Truncated data",
            "refused: Failed to decode frame 0: Truncated data",
            id="an AVIF that was cut",
        ),
        pytest.param(
            saved("ICNS").replace(b"IHDR", b"IHDS"),
            "SyntaxError: ",
            "refused: ",
            id="an ICNS with a wrong checksum",
        ),
        pytest.param(
            saved("JPEG")[:-400],
            "refused: image file is truncated",
            "refused: image file is truncated",
            id="a JPEG that was cut",
        ),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused(
    at_start: Path, picture: bytes, without: str, refused: str
) -> None:
    assert answer(picture, None).startswith(without)
    assert answer(picture, at_start).startswith(refused)


@pytest.mark.parametrize("kind", ["AVIF", "PNG"])
def test_a_whole_picture_is_read(at_start: Path, kind: str) -> None:
    assert answer(saved(kind), None) == answer(saved(kind), at_start) == ""
