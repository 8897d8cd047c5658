"""Plugin archives, served from loopback as Pulumi's download server does."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.http_server import Handler, serving


def archive(program: Path) -> bytes:
    """A `.tar.gz` with one program, named as plugins are."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
        tar.add(program, program.name)
    return file.getvalue()


@contextmanager
def download_server(programs: Mapping[str, Path]) -> Generator[dict[str, str]]:
    """Serve a plugin by provider name; gives the environment that leads `pulumi` there."""

    class Downloads(Handler):
        def do_GET(self) -> None:  # noqa: N802
            for name, program in programs.items():
                if self.path.startswith(f"/pulumi-resource-{name}-v"):
                    self.whole(200, archive(program))
                    return
            self.whole(404, b"")

    with serving(Downloads) as port:
        yield {"PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES": f"^.*$=http://127.0.0.1:{port}"}
