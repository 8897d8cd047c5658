"""vLLM's environment counts while it is whole; what vLLM noted once is there for each new home."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twin.toolchain import vllm


@pytest.mark.parametrize(
    ("complete", "interpreter", "installed"),
    [
        (True, sys.executable, True),
        (False, sys.executable, False),
        (True, "/a/python/that/an/upgrade/removed", False),
    ],
)
def test_it_is_made_again_when_it_is_not_whole_or_its_python_has_gone(
    complete: bool, interpreter: str, installed: bool, tmp_path: Path
) -> None:
    python = vllm.python(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(interpreter)
    if complete:
        (vllm.environment(tmp_path) / "complete").touch()
    assert vllm.is_installed(tmp_path) is installed


def test_a_new_home_gets_what_vllm_noted_at_its_first_look(tmp_path: Path) -> None:
    python = vllm.python(tmp_path)
    noted = vllm.environment(tmp_path) / "noted/modelinfos"
    noted.mkdir(parents=True)
    (noted / "class.json").write_text("{}")
    vllm.seed(python, tmp_path / "volume/vllm")
    assert (tmp_path / "volume/vllm/modelinfos/class.json").read_text() == "{}"


def test_a_home_that_has_notes_of_its_own_keeps_them(tmp_path: Path) -> None:
    (vllm.environment(tmp_path) / "noted/modelinfos").mkdir(parents=True)
    own = tmp_path / "volume/vllm/torch_compile_cache/one"
    own.parent.mkdir(parents=True)
    own.write_text("kept")
    vllm.seed(vllm.python(tmp_path), tmp_path / "volume/vllm")
    assert own.read_text() == "kept"


def test_the_first_look_keeps_bytecode_whatever_the_caller_wants(tmp_path: Path) -> None:
    inherited = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    assert vllm.first_look_environment(inherited, tmp_path) == {
        "PATH": "/bin",
        "HF_HUB_OFFLINE": "1",
        "VLLM_CACHE_ROOT": str(tmp_path),
        "VLLM_NO_USAGE_STATS": "1",
    }
