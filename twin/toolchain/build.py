"""Build a Go tool once into the cache, showing how far it is.

Interrupting is safe: Go keeps each compiled package, and the programs are moved into place
only when all of one tool are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from twin.toolchain.go_tools import MODULES, GoTool
from twin.toolchain.progress import Progress
from twin.toolchain.shown import run_shown


def folder(tool: GoTool, cache: Path) -> Path:
    """Where a tool's programs lie; its name changes when anything that shapes the build does."""
    module = MODULES / tool.name
    recipe = (module / "go.mod").read_bytes() + (module / "go.sum").read_bytes()
    recipe += repr((tool.packages, tool.ldflags, tool.cgo)).encode()
    return cache / "tools" / f"{tool.name}-{tool.version}-{hashlib.sha256(recipe).hexdigest()[:8]}"


def build(tool: GoTool, cache: Path, go: Path, progress: Progress) -> Path:
    """The folder with the tool's programs, built now if it is not there.

    Raises:
        TwinError: Go could not download or compile it; carries the compiler's last lines.
    """
    target = folder(tool, cache)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{tool.name}-"))
    try:
        _go_build(tool, scratch, go, progress)
        scratch.chmod(0o755)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _environment(tool: GoTool) -> dict[str, str]:
    return {
        **os.environ,
        "CGO_ENABLED": "1" if tool.cgo else "0",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _go_build(tool: GoTool, target: Path, go: Path, progress: Progress) -> None:
    flags = ["-v", "-ldflags", f"-s -w {tool.ldflags}", "-o", f"{target}/"]
    run_shown(
        [go, "build", *flags, *tool.packages],
        progress,
        f"building {', '.join(tool.programs)}",
        tool.estimate_seconds,
        failed=f"{tool.name} {tool.version} could not be built",
        cwd=MODULES / tool.name,
        env=_environment(tool),
    )


def put_language_host_beside_engine(engine: Path, host: Path, go: Path) -> None:
    """The engine looks for its Python host in its own folder first, as in Pulumi's own release.

    The host starts programs through a script, which is not a Go program and lies in the module.
    """
    if (engine / "pulumi-language-python-exec").exists():
        return
    shutil.copy2(host / "pulumi-language-python", engine)
    source = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
        cwd=MODULES / "pulumi",
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    script = engine / "pulumi-language-python-exec"
    partial = script.with_suffix(".partial")
    shutil.copy(Path(source) / "python" / "cmd" / script.name, partial)
    partial.chmod(0o755)
    partial.rename(script)
