"""What a command says when it cannot go on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import typer

from hub.words import told_in_words
from twin.errors import TwinError
from twin.whole_file import write_whole

FULL_DISKS = [errno.ENOSPC, errno.EDQUOT]


def ended_by(error: BaseException, *, resumes: bool = True) -> int:
    with pytest.raises(typer.Exit) as ended, told_in_words(resumes=resumes):
        raise error
    return ended.value.exit_code


@pytest.mark.parametrize("number", FULL_DISKS)
def test_a_full_disk_is_told_with_what_to_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HUB_CACHE", str(tmp_path / "cache"))
    assert ended_by(OSError(number, os.strerror(number))) == 1
    assert capsys.readouterr().err == (
        f"error: A disk is full: [Errno {number}] {os.strerror(number)}. Free some space, then run "
        "the same command again; what is done is kept.\n"
        f"The local system's state is in {tmp_path}/state (HUB_STATE), its tools are in "
        f"{tmp_path}/cache (HUB_CACHE).\n"
    )


def test_a_full_disk_is_told_when_several_things_failed_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    both = ExceptionGroup("side by side", [TwinError("stopped"), ExceptionGroup("inner", [full])])
    assert ended_by(both, resumes=False) == 1
    said = capsys.readouterr().err
    assert "A disk is full: [Errno 28] No space left on device." in said
    assert "what is done is kept" not in said


@pytest.mark.parametrize(
    "error", [PermissionError(13, "denied"), ExceptionGroup("several", [ValueError("ours")])]
)
def test_what_nobody_foresaw_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)), told_in_words():
        raise error


def test_on_a_full_disk_a_file_keeps_its_old_text(tmp_path: Path) -> None:
    file = tmp_path / "twin.json"
    write_whole(file, "old")
    (tmp_path / "twin.json.partial").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "new")
    assert file.read_text() == "old"


def test_a_new_file_is_the_users_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "kept.json", "secret")
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600
