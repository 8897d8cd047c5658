"""Debian's packages in the cache, with stand-ins for apt-get and dpkg."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.errors import TwinError
from twin.toolchain.debian import unpacked

APT = """#!/bin/sh
echo "$@" >> "$CALLS"
[ -e "$BROKEN" ] && { echo "E: Unable to locate package $4" >&2; exit 100; }
touch first.deb second.deb
"""
DPKG = """#!/bin/sh
mkdir -p "$3/usr/lib/x86_64-linux-gnu" && touch "$3/usr/$(basename "$2" .deb)"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each call of apt-get."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (("apt-get", APT), ("dpkg", DPKG)):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("BROKEN", str(tmp_path / "broken"))
    return tmp_path / "calls"


def test_packages_are_downloaded_and_unpacked_once(calls: Path) -> None:
    found, again = unpacked("tools", ("nginx", "wrk=4.1")), unpacked("tools", ("nginx", "wrk=4.1"))
    assert found == again
    assert calls.read_text() == "download -q nginx wrk=4.1\n"
    assert {one.name for one in (found.folder / "usr").iterdir()} == {"lib", "first", "second"}
    assert list(found.folder.glob("*.deb")) == []
    libraries = found.folder / "usr/lib/x86_64-linux-gnu"
    assert found.environment == {"LD_LIBRARY_PATH": str(libraries)}
    assert found.programs == (found.folder / "usr/sbin", found.folder / "usr/bin")


def test_other_packages_are_another_folder(calls: Path) -> None:
    assert unpacked("tools", ("nginx",)) != unpacked("tools", ("nginx", "wrk"))


def test_a_download_that_failed_is_told_and_done_again(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(TwinError, match=r"try `apt-get update` first\n.*package nginx"):
        unpacked("tools", ("x", "nginx"))
    (tmp_path / "broken").unlink()
    assert (unpacked("tools", ("x", "nginx")).folder / "usr/first").exists()
    assert len(calls.read_text().splitlines()) == 2
