"""One deployment, the twin's or one of your own: its file, and what Pulumi knows of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, Self

import yaml

from app.client.connection import Connection
from doctor.observations import NotSeen
from hub.connection import is_named
from hub.stack_file import api_keys, with_api_keys
from hub.words import errors
from infra.config import SETTINGS_KEY, Settings
from infra.key_names import check
from twin.engine import ROOT, STACK, Engine, run_pulumi, stack_file
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir

OUTPUTS_SECONDS = 30
"""For where Pulumi keeps the stack, which may be far away."""
NO_PULUMI = "`pulumi` is not on PATH"
LONGEST = 200
"""Characters of what Pulumi says, for people."""


@dataclass(frozen=True)
class Service:
    """A deployed one, by its stack's outputs."""

    url: str
    key: str
    auth_key: datetime | NotSeen
    """When the one that the stack stores expires."""


@dataclass(frozen=True)
class Stack:
    """What it should be, in its file, and what it is, as Pulumi knows it."""

    name: str
    file: Path
    environment: Mapping[str, str] | None
    """In which `pulumi` works on it; ``None`` for a twin that was never started."""

    @classmethod
    def named(cls, name: str) -> Self:
        """The stack of this name.

        Raises:
            TwinError: it has no file.
        """
        file = stack_file(name)
        if not file.exists():
            known = ", ".join(sorted(one.name for one in ROOT.glob("Pulumi.*.yaml")))
            raise TwinError(f"The stack {name} has no file {file}; there are: {known}")
        return cls(name, file, _environment(name))

    @property
    def deployment(self) -> str:
        """What a person types to deploy it."""
        return "hub up" if self.name == STACK else f"pulumi up --stack {self.name}"

    def declared(self) -> list[str]:
        """The keys in its file.

        Raises:
            TwinError: there is no list, or the program would refuse it.
        """
        keys = api_keys(self.file.read_text())
        try:
            check(keys)
        except ValueError as error:
            raise TwinError(f"{self.file}: {error}") from error
        return keys

    def declare(self, keys: Sequence[str]) -> None:
        self.file.write_text(with_api_keys(self.file.read_text(), keys))

    def accepted(self) -> list[str]:
        """The keys that the gateway accepts since the last deployment; none before the first.

        Raises:
            TwinError: Pulumi does not know the stack.
        """
        return self._outputs().get("acceptedKeys", [])

    def values(self) -> dict[str, str]:
        """The newest deployed key of each client, in plain text.

        Raises:
            TwinError: Pulumi does not know the stack, or cannot decrypt it.
        """
        return self._outputs("--show-secrets").get("apiKeys", {})

    def settings(self) -> Settings:
        """As they stand in its file, which the program reads, too.

        Raises:
            TwinError: it has none.
        """
        key = f"personal-cloud-hub:{SETTINGS_KEY}"
        try:
            return Settings.model_validate(yaml.safe_load(self.file.read_text())["config"][key])
        except (KeyError, TypeError) as error:
            raise TwinError(f"{self.file} has no {key}") from error

    def service(self) -> Service:
        """Where it is, a key for it, and how long it can start.

        Without `pulumi`, as the environment names it for `hub ask`, too.

        Raises:
            TwinError: Pulumi does not know the stack, cannot decrypt it, or it is not deployed.
        """
        if self.name != STACK and not _is_installed() and is_named():
            errors.print(f"{NO_PULUMI}: OPENAI_BASE_URL and OPENAI_API_KEY name the service.")
            named = Connection.find()
            unseen = NotSeen(why=NO_PULUMI)
            return Service(named.base_url.removesuffix("/v1"), named.api_key, unseen)
        outputs = self._outputs("--show-secrets")
        keys = outputs.get("apiKeys", {})
        if not keys or "gatewayUrl" not in outputs:
            raise TwinError(f"The stack {self.name} is not deployed; `{self.deployment}` does it.")
        return Service(outputs["gatewayUrl"], next(iter(keys.values())), _auth_key(outputs))

    def auth_key(self) -> datetime | NotSeen:
        """When the gateway's expires, as far as Pulumi can be asked for it."""
        if not _is_installed():
            return NotSeen(why=NO_PULUMI)
        try:
            return _auth_key(self._outputs())
        except TwinError as error:
            return NotSeen(why=" ".join(str(error).split())[:LONGEST])

    def deploy(self) -> NoReturn:
        """Become the deployment: its questions, Ctrl-C and exit code are this command's."""
        os.chdir(ROOT)
        if self.name == STACK:
            os.execv(sys.executable, [sys.executable, "-m", "hub.cli", "up"])  # noqa: S606
        os.execvp("pulumi", self.deployment.split())  # noqa: S606

    def _outputs(self, *options: str) -> dict[str, Any]:
        if self.environment is None:
            return {}
        asked = ("stack", "output", "--stack", self.name, "--json", "--non-interactive", *options)
        try:
            return json.loads(run_pulumi(*asked, env=self.environment, seconds=OUTPUTS_SECONDS))
        except TwinError as error:
            if "no stack named" not in str(error):
                raise
            raise TwinError(
                f"{error}`pulumi whoami --verbose` tells where Pulumi looks for the stack; "
                "docs/deployment.md creates one."
            ) from error


def _auth_key(outputs: Mapping[str, Any]) -> datetime | NotSeen:
    expires = outputs.get("authKeyExpires")
    return datetime.fromisoformat(expires) if expires else NotSeen(why="no auth key is stored")


def _is_installed() -> bool:
    return shutil.which("pulumi") is not None


def _environment(name: str) -> Mapping[str, str] | None:
    if name != STACK:
        return os.environ
    paths = TwinPaths(state_dir())
    if not (paths.root / "twin.json").exists():
        return None
    return Engine.of_running_twin(paths).environment
