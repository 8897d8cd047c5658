"""A registry of Go modules that fails halfway, and the real Go: the next build takes it up."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from tests.support import http_server
from tests.support.http_server import Handler
from twin.errors import TwinError
from twin.paths import cache_dir
from twin.toolchain import go_tools, preflight
from twin.toolchain.build import build, is_built
from twin.toolchain.overview import Overview

pytestmark = pytest.mark.slow

KINE = next(tool for tool in go_tools.GO_TOOLS if tool.name == "kine")
MODULES = [f"registry.test/part{number}" for number in range(8)]
HALF = len(MODULES) // 2


def contents(module: str) -> dict[str, bytes]:
    return {"go.mod": f"module {module}\n".encode(), "part.go": b"package part\n\nconst N = 1\n"}


def zipped(module: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents(module).items():
            archive.writestr(f"{module}@v1.0.0/{name}", content)
    return file.getvalue()


def checksum(files: Mapping[str, bytes]) -> str:
    """As go.sum has it: golang.org/x/mod/sumdb/dirhash, Hash1."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


@dataclass
class Registry:
    """Answers half of the archives, then fails in one way until it is mended."""

    failure: str
    broken: bool = True
    served: list[str] = field(default_factory=list[str])
    """Archives that were sent whole."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str) -> tuple[int, bytes, int]:
        """Status, body, and the length that is told of it."""
        module, _, name = path.removeprefix("/").partition("/@v/")
        if name == "v1.0.0.mod":
            body = contents(module)["go.mod"]
            return 200, body, len(body)
        if name == "v1.0.0.info":
            body = b'{"Version": "v1.0.0"}'
            return 200, body, len(body)
        body = zipped(module)
        with self._lock:
            if self.broken and len(self.served) >= HALF:
                return (503, b"", 0) if self.failure == "503" else (200, body[:99], len(body))
            self.served.append(module)
        return 200, body, len(body)


@contextmanager
def serving(registry: Registry) -> Generator[str]:
    class Answers(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
            status, body, length = registry.answer(self.path)
            self.close_connection = True  # so that what breaks off has an end
            self.begin(status, {"Content-Length": str(length)})
            self.wfile.write(body)

    with http_server.serving(Answers) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the twin's Go module, one whose `kine` needs all that the registry has."""
    module = tmp_path / "recipes" / "go"
    (module / "kine").mkdir(parents=True)
    (tmp_path / "recipes" / "pulumi-language-python").mkdir()
    needs = "".join(f"\t{name} v1.0.0\n" for name in MODULES)
    (module / "go.mod").write_text(f"module m\n\ngo 1.24\n\nrequire (\n{needs})\n")
    sums = [
        f"{name} v1.0.0{what} {checksum(files)}\n"
        for name in MODULES
        for what, files in (
            ("", {f"{name}@v1.0.0/{file}": text for file, text in contents(name).items()}),
            ("/go.mod", {"go.mod": contents(name)["go.mod"]}),
        )
    ]
    (module / "go.sum").write_text("".join(sums))
    imports = "".join(f'import _ "{name}"\n' for name in MODULES)
    (module / "kine" / "main.go").write_text(f"package main\n\n{imports}\nfunc main() {{}}\n")
    monkeypatch.setattr(go_tools, "MODULES", tmp_path / "recipes")


@pytest.mark.parametrize("failure", ["503", "connection lost in the middle of a file"])
def test_what_was_downloaded_before_a_registry_failed_is_not_downloaded_again(
    tmp_path: Path, recipes: None, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    go, registry = preflight.find_go(cache_dir()), Registry(failure)

    def run() -> None:
        asyncio.run(build([KINE], tmp_path / "cache", go, Overview(Console(file=io.StringIO()), 0)))

    with serving(registry) as url:
        monkeypatch.setenv("GOPROXY", url)
        monkeypatch.setenv("GOSUMDB", "off")
        monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
        monkeypatch.setenv("GOFLAGS", "-modcacherw")
        with pytest.RaisesGroup(pytest.RaisesExc(TwinError, match=SAID), flatten_subgroups=True):
            run()
        assert len(registry.served) == HALF
        assert not is_built(KINE, tmp_path / "cache")
        registry.broken = False
        run()
    assert sorted(registry.served) == MODULES, "each archive was sent once"
    assert is_built(KINE, tmp_path / "cache")


SAID = (
    r"(?s)The Go packages of kine could not be downloaded:\n.*registry\.test/part\d.*\n"
    r"Are the package registries reachable\? Then run the same command again; "
    r"what is already done is kept\."
)
