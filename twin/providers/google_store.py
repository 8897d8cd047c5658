"""What Google would remember: declared resources and the payloads of secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from twin.providers.properties import Properties
from twin.whole_file import write_whole


class GoogleStore:
    """Resources by type and full name, in one private file, written whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "resources.json"
        self._writing = Lock()  # the engine creates several resources at once

    def all(self) -> dict[str, Properties]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, name: str) -> Properties | None:
        return self.all().get(name)

    def put(self, name: str, value: Properties) -> None:
        self._change(lambda all_: {**all_, name: value})

    def remove(self, name: str) -> None:
        self._change(lambda all_: {k: v for k, v in all_.items() if k != name})

    def next_version(self, secret: str) -> int | None:
        """The number for a new version of a secret; ``None`` when there is no such secret."""
        with self._writing:
            resources = self.all()
            if secret not in resources:
                return None
            number = int(resources.get(f"count/{secret}", {}).get("versions", 0)) + 1
            self._write({**resources, f"count/{secret}": {"versions": number}})
        return number

    def write_payload(self, secret_id: str, version: int, payload: str) -> None:
        file = self._payload(secret_id, version)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(payload)

    def remove_payload(self, secret_id: str, version: int) -> None:
        self._payload(secret_id, version).unlink(missing_ok=True)

    def _payload(self, secret_id: str, version: int) -> Path:
        return self._folder / "secrets" / secret_id / str(version)

    def _change(self, change: Callable[[dict[str, Properties]], dict[str, Properties]]) -> None:
        with self._writing:
            self._write(change(self.all()))

    def _write(self, resources: dict[str, Properties]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._file, json.dumps(resources, indent=1))
