"""Packages in the place of Tailscale's and NVIDIA's own, and repositories that apt believes.

Their dependencies, units, settings and maintainer scripts are the projects' own, from the Go
modules of their source; their programs do nothing.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.go_modules import downloaded
from twin.toolchain.go_tools import GO_TOOLS

[TAILSCALE] = (tool.version for tool in GO_TOOLS if tool.name == "tailscale")
TOOLKIT = "1.20.2"
NOTHING = "#!/bin/sh\n"
KEYRING = "/usr/share/keyrings/tailscale-archive-keyring.gpg"
"""Tailscale's package of it puts it where ``scripts/installer.sh`` has put it, too."""


@dataclass(frozen=True)
class Package:
    """One that ``dpkg-deb`` builds."""

    name: str
    version: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    """By path; what is below ``/etc`` is a configuration file."""
    scripts: Mapping[str, str] = field(default_factory=dict[str, str])

    def build(self, folder: Path) -> None:
        control = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": "all",
            "Maintainer": "Nobody <nobody@example.com>",
            **self.fields,
            "Description": "stands for the real one",
        }
        settings = [path for path in self.files if path.startswith("/etc/")]
        parts = {
            "control": "".join(f"{name}: {value}\n" for name, value in control.items()),
            "conffiles": "".join(f"{path}\n" for path in settings),
            **self.scripts,
        }
        with tempfile.TemporaryDirectory() as built:
            Path(built).chmod(0o755)
            for path, content in self.files.items():
                write(Path(built + path), content)
            for name, content in parts.items():
                write(Path(built) / "DEBIAN" / name, content)
            line = ("dpkg-deb", "--root-owner-group", "--build", built, str(folder))
            subprocess.run(line, check=True, capture_output=True)


def write(path: Path, content: str | bytes) -> None:
    """A file that everybody may read, and run if it is a script."""
    content = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if content.startswith(b"#!") else 0o644)


def tailscales(key: bytes) -> list[Package]:
    """As ``release/dist/unixpkgs/pkgs.go`` puts them together."""
    source = downloaded("tailscale.com", f"v{TAILSCALE}")
    daemon = source / "cmd/tailscaled"
    return [
        Package(
            "tailscale",
            TAILSCALE,
            fields={
                "Depends": "iptables",
                "Recommends": "tailscale-archive-keyring (>= 1.35.181), iproute2",
            },
            files={
                "/usr/bin/tailscale": '#!/bin/sh\nexec /standin/tailscale "$@"\n',
                "/usr/sbin/tailscaled": '#!/bin/sh\nexec /standin/tailscaled "$@"\n',
                "/lib/systemd/system/tailscaled.service": (
                    daemon / "tailscaled.service"
                ).read_text(),
                "/etc/default/tailscaled": (daemon / "tailscaled.defaults").read_text(),
            },
            scripts=_tailscales_scripts(),
        ),
        Package("tailscale-archive-keyring", "1.35.181", files={KEYRING: key}),
    ]


def _tailscales_scripts() -> dict[str, str]:
    scripts = downloaded("tailscale.com", f"v{TAILSCALE}") / "release/deb"
    names = ("postinst", "prerm", "postrm")
    return {name: (scripts / f"debian.{name}.sh").read_text() for name in names}


def nvidias() -> list[Package]:
    """As ``packaging/debian`` has them, and the two that its installation guide names beside."""
    source = downloaded("github.com/NVIDIA/nvidia-container-toolkit", f"v{TOOLKIT}")
    packaging, units = source / "packaging/debian", source / "deployments/systemd"
    refresh = ("nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service")
    same = f"(= {TOOLKIT}-1)"
    return [
        Package(
            "nvidia-container-toolkit",
            f"{TOOLKIT}-1",
            fields={
                "Depends": f"nvidia-container-toolkit-base {same}, libnvidia-container-tools {same}"
            },
            files={"/usr/bin/nvidia-container-runtime-hook": NOTHING},
            scripts={
                name: (packaging / f"nvidia-container-toolkit.{name}").read_text()
                for name in ("postinst", "postrm")
            },
        ),
        Package(
            "nvidia-container-toolkit-base",
            f"{TOOLKIT}-1",
            files={
                "/usr/bin/nvidia-ctk": _NVIDIA_CTK,
                **{f"/lib/systemd/system/{unit}": (units / unit).read_text() for unit in refresh},
                "/etc/nvidia-container-toolkit/nvidia-cdi-refresh.env": (
                    units / "nvidia-cdi-refresh.env"
                ).read_text(),
            },
            scripts=_with_units(
                (packaging / "nvidia-container-toolkit-base.postinst").read_text(), refresh
            ),
        ),
        Package(
            "libnvidia-container-tools",
            f"{TOOLKIT}-1",
            fields={"Depends": f"libnvidia-container1 {same}"},
            files={"/usr/bin/nvidia-container-cli": NOTHING},
        ),
        Package("libnvidia-container1", f"{TOOLKIT}-1"),
    ]


_NVIDIA_CTK = """#!/bin/sh
for word in "$@"; do
	case "$word" in --config-file=*) file=${word#*=} ;; esac
done
mkdir -p "$(dirname "$file")" && echo '[nvidia-container-cli]' >"$file"
"""
"""`nvidia-ctk config --config-file=… --in-place` writes the file where there is none."""


def _with_units(postinst: str, units: Iterable[str]) -> dict[str, str]:
    """What debhelper adds for units is what Tailscale's scripts do for theirs."""
    scripts = {
        name: "".join(text.replace("tailscaled.service", unit) for unit in units)
        for name, text in _tailscales_scripts().items()
    }
    scripts = {
        name: "\n".join(line for line in text.splitlines() if "/var/lib/tailscale" not in line)
        for name, text in scripts.items()
    }
    assert "#DEBHELPER#" in postinst
    return {
        **{name: f"{text}\n" for name, text in scripts.items()},
        "postinst": postinst.replace("#DEBHELPER#", scripts["postinst"]),
    }


def index(root: Path, folder: Path) -> str:
    """``Packages``: those below a folder, by their paths from the repository's root."""
    entries: list[str] = []
    for package in sorted(folder.glob("*.deb")):
        told = ("dpkg-deb", "--field", str(package))
        control = subprocess.run(told, check=True, capture_output=True, text=True).stdout
        content = package.read_bytes()
        entries.append(
            f"{control}Filename: {package.relative_to(root)}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    return "\n".join(entries)


@dataclass(frozen=True)
class Signer:
    """Has a key of its own."""

    home: Path

    def key(self, *, armored: bool = False) -> bytes:
        return self.gpg("--export", *(["--armor"] if armored else []))

    def release(self, folder: Path, suite: str, architecture: str) -> None:
        """``InRelease``, for the indexes below a folder."""
        hashes = "".join(
            f" {hashlib.sha256(one.read_bytes()).hexdigest()} {one.stat().st_size} "
            f"{one.relative_to(folder)}\n"
            for one in sorted(folder.rglob("Packages"))
        )
        date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
        text = (
            f"Suite: {suite}\nDate: {date}\n"
            f"Architectures: {architecture}\nComponents: main\nSHA256:\n{hashes}"
        )
        write(folder / "Release", text)
        signed = self.gpg("--output", "-", "--clearsign", str(folder / "Release"))
        write(folder / "InRelease", signed)

    def gpg(self, *words: str) -> bytes:
        line = ("gpg", "--homedir", str(self.home), "--batch", "--quiet", *words)
        return subprocess.run(line, check=True, capture_output=True).stdout


@contextmanager
def signer(home: Path) -> Generator[Signer]:
    """Its key lies in a folder that is new, and which the caller removes."""
    home.mkdir(mode=0o700)
    try:
        sign = Signer(home)
        sign.gpg("--passphrase", "", "--quick-gen-key", "nobody@example.com", "ed25519", "sign")
        yield sign
    finally:
        # gpg starts one and leaves it running.
        subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "gpg-agent"), check=True)
