"""What Google would remember: declared resources and the payloads of secrets."""

from __future__ import annotations

import json
import os
from pathlib import Path

from twin.providers.properties import Properties


class GoogleStore:
    """Resources by type and full name, in one private file, written whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "resources.json"

    def all(self) -> dict[str, Properties]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, name: str) -> Properties | None:
        return self.all().get(name)

    def put(self, name: str, value: Properties) -> None:
        self._write({**self.all(), name: value})

    def remove(self, name: str) -> None:
        self._write({k: v for k, v in self.all().items() if k != name})

    def write_payload(self, secret_id: str, version: int, payload: str) -> None:
        file = self._payload(secret_id, version)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(payload)

    def remove_payload(self, secret_id: str, version: int) -> None:
        self._payload(secret_id, version).unlink(missing_ok=True)

    def _payload(self, secret_id: str, version: int) -> Path:
        return self._folder / "secrets" / secret_id / str(version)

    def _write(self, resources: dict[str, Properties]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self._file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(resources, indent=1))
        os.replace(partial, self._file)  # noqa: PTH105
