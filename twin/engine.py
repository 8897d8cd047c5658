"""The real Pulumi engine, run on the twin's stack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from twin.errors import TwinError
from twin.network import Mode
from twin.parts.part import MARK
from twin.parts.tailnet import HEADSCALE_PORT
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain import released_plugins
from twin.toolchain.toolchain import Toolchain

ROOT = Path(__file__).parents[1]
STACK = "twin"


def stack_file(stack: str) -> Path:
    """Where `pulumi` itself reads the settings of this stack, such as ``dev`` or ``me/hub/dev``."""
    chosen = os.environ.get("PULUMI_OPTION_CONFIG_FILE")
    return ROOT / (chosen or f"Pulumi.{stack.rpartition('/')[2]}.yaml")


@dataclass(frozen=True)
class Engine:
    """Pulumi's command line, with the environment that makes it the twin's."""

    paths: TwinPaths
    settings: TwinSettings
    path: str

    @classmethod
    def of_running_twin(cls, paths: TwinPaths) -> Self:
        """For the twin that was started in this state folder.

        Raises:
            TwinError: none was, or its tools are gone.
        """
        settings = TwinSettings.of_running_twin(paths)
        return cls(paths, settings, Toolchain.of_running_twin(paths).path)

    @cached_property
    def released_plugins(self) -> dict[str, str]:
        """Providers that the engine itself can start here, and where it finds them.

        Of these, a twin keeps to those that it began with: an emulator and an original keep
        different things in the state, and one that takes over from the other replaces objects.
        """
        found = released_plugins.found(self._base_environment)
        chosen = self.paths.released_plugins
        if not chosen.exists():
            return found
        return {name: found[name] for name in json.loads(chosen.read_text()) if name in found}

    def install_released_plugins(self) -> None:
        """For a new twin: where the network gives them; before anything asks which there are."""
        released_plugins.install(self._base_environment)
        self.paths.released_plugins.write_text(json.dumps(sorted(self.released_plugins)))

    @property
    def emulated(self) -> dict[str, int]:
        """The providers that the twin emulates, and their ports."""
        ports = self.settings.provider_ports
        return {name: port for name, port in ports.items() if name not in self.released_plugins}

    @property
    def twin_environment(self) -> dict[str, str]:
        """What to add to an environment so that `pulumi` typed by hand works on the twin."""
        attached = ",".join(f"{name}:{port}" for name, port in self.emulated.items())
        return {
            "PATH": self.path,
            "PULUMI_BACKEND_URL": f"file://{self.paths.pulumi_backend}",
            # Nothing that is worth a secret outlives the twin's state folder, which is private.
            "PULUMI_CONFIG_PASSPHRASE": "twin",
            "PULUMI_DEBUG_PROVIDERS": attached,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "KUBECONFIG": str(self.paths.kubeconfig),
        }

    @property
    def _base_environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": self.path, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    @property
    def environment(self) -> dict[str, str]:
        """In which `pulumi` works on the twin."""
        return {**os.environ, **self.twin_environment, MARK: str(self.paths.root)}

    def configure(self, mode: Mode) -> None:
        """Make the stack if it is new."""
        self.paths.pulumi_backend.mkdir(exist_ok=True)
        if mode == "flat":
            self._write_flat_stack_file()
        known = json.loads(run_pulumi("stack", "ls", "--json", env=self.environment))
        if not any(stack["name"] == STACK for stack in known):
            run_pulumi("stack", "init", STACK, "--no-select", env=self.environment)

    def unlock(self) -> bool:
        """Take away the lock of a killed run; whether there was one."""
        locks = list(self.paths.pulumi_backend.glob(".pulumi/locks/**/*.json"))
        if locks:
            run_pulumi("cancel", "--stack", STACK, "--yes", env=self.environment)
        return bool(locks)

    def up(self) -> None:
        self._show("up", "--yes", "--skip-preview")

    def destroy(self) -> None:
        self._show("destroy", "--yes", "--skip-preview")

    def has_resources(self) -> bool:
        """Whether anything is deployed."""
        if not self.paths.pulumi_backend.exists():
            return False
        known = json.loads(run_pulumi("stack", "ls", "--json", env=self.environment))
        return any(s["name"] == STACK and s.get("resourceCount", 0) for s in known)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in plain text."""
        shown = run_pulumi(
            *("stack", "output", "--stack", STACK, "--json", "--show-secrets"),
            env=self.environment,
        )
        return json.loads(shown)

    def _show(self, *arguments: str) -> None:
        interrupted = False
        with subprocess.Popen(
            ["pulumi", *arguments, "--stack", STACK, *self._stack_file],
            cwd=ROOT,
            env=self.environment,
        ) as pulumi:
            while pulumi.returncode is None:
                try:
                    pulumi.wait()
                except KeyboardInterrupt:
                    interrupted = True  # Ctrl-C has reached pulumi, too, which stops in order
        if interrupted:
            raise KeyboardInterrupt
        if pulumi.returncode != 0:
            raise TwinError(
                f"`pulumi {arguments[0]}` failed; what it says above is the reason. "
                "`hub status` shows the parts, `hub logs PART` what one of them printed."
            )

    @property
    def _stack_file(self) -> tuple[str, ...]:
        file = self.paths.root / "Pulumi.twin.yaml"
        return (f"--config-file={file}",) if file.exists() else ()

    def _write_flat_stack_file(self) -> None:
        """The same settings with the one address that differs where all ends are loopback."""
        stack = yaml.safe_load(stack_file(STACK).read_text())
        tailnet = stack["config"]["personal-cloud-hub:settings"]["tailnet"]
        tailnet["controlUrl"] = f"http://127.0.0.1:{HEADSCALE_PORT}"
        (self.paths.root / "Pulumi.twin.yaml").write_text(yaml.safe_dump(stack))


def run_pulumi(*arguments: str, env: Mapping[str, str], seconds: float | None = None) -> str:
    """What `pulumi` prints, run in the project's folder, in ``seconds`` at most.

    Raises:
        TwinError: it failed, did not end, or is not installed.
    """
    pulumi = shutil.which("pulumi", path=env.get("PATH"))
    if pulumi is None:
        raise TwinError("`pulumi` is not on PATH; https://www.pulumi.com/docs/install/ has it.")
    command = [pulumi, *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TwinError(
            f"`pulumi {' '.join(arguments)}` did not end in {seconds} s. Where Pulumi keeps the "
            "stack was not reached; `pulumi whoami --verbose` tells where that is."
        ) from error
    if done.returncode != 0:
        raise TwinError(f"`pulumi {' '.join(arguments)}` failed:\n{done.stderr}{done.stdout}")
    return done.stdout
