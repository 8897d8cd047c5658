"""Which folder is a twin's, where no part of it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.errors import TwinError
from twin.lifecycle import locked, remove
from twin.paths import TwinPaths


@pytest.fixture
def state(tmp_path: Path) -> TwinPaths:
    return TwinPaths(tmp_path / "state")


def begin(state: TwinPaths) -> None:
    with locked(state):
        pass


def test_a_twin_begins_in_a_new_folder_or_an_empty_one_and_is_removed(state: TwinPaths) -> None:
    begin(state)
    remove(state)
    assert not state.root.exists()
    state.root.mkdir()
    begin(state)
    begin(state)
    remove(state)
    assert not state.root.exists()


def test_no_twin_begins_in_a_folder_with_files_of_something_else(state: TwinPaths) -> None:
    state.root.mkdir(mode=0o755)
    (state.root / "lock").write_text("of something else")
    with pytest.raises(TwinError, match="is no twin's folder"):
        begin(state)
    assert [file.name for file in state.root.iterdir()] == ["lock"]
    assert (state.root.stat().st_mode & 0o777) == 0o755


def test_a_beginning_that_was_killed_before_its_lock_goes_on(state: TwinPaths) -> None:
    state.parts.mkdir(parents=True)
    state.logs.mkdir()
    begin(state)
    assert state.lock.is_file()


def test_a_removal_that_was_interrupted_goes_on(
    state: TwinPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(state)

    def interrupt(folder: Path, **_: object) -> None:
        if folder == state.root:
            state.lock.unlink()  # it may be any file that goes first
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("twin.lifecycle.shutil.rmtree", interrupt)
        with pytest.raises(KeyboardInterrupt):
            remove(state)
    remove(state)
    assert not state.root.exists()
