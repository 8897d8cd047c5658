"""Writes to home's datastore without a pause, and which of them were confirmed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from twin.parts import control_plane
from twin.paths import TwinPaths

WRITERS = 4
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
LABEL = "written"
VALUE_LENGTH = 4000


@dataclass
class Writes:
    """What the API server has confirmed, by name."""

    confirmed: set[str] = field(default_factory=set[str])
    stopped: threading.Event = field(default_factory=threading.Event)


@contextmanager
def writing(paths: TwinPaths, batch: str) -> Generator[Writes]:
    """Each writer makes one ConfigMap after another until the API server is gone."""
    writes = Writes()
    writers = [
        threading.Thread(target=_write, args=(paths, f"{batch}-{i}", writes))
        for i in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    try:
        yield writes
    finally:
        writes.stopped.set()
        for writer in writers:
            writer.join()


def _write(paths: TwinPaths, prefix: str, writes: Writes) -> None:
    number = 0
    with control_plane.http(paths.kubeconfig) as api:
        while not writes.stopped.is_set():
            name = f"{prefix}-{number}"
            metadata = {"name": name, "labels": {LABEL: "yes"}}
            try:
                answer = api.post(CONFIGMAPS, json={"metadata": metadata, "data": _data(name)})
            except httpx2.HTTPError:
                return
            if answer.status_code == 201:
                writes.confirmed.add(name)
            number += 1


def _data(name: str) -> dict[str, str]:
    return {"value": (name + " ") * (VALUE_LENGTH // (len(name) + 1))}


def found(paths: TwinPaths) -> dict[str, bool]:
    """Each written ConfigMap that is there, and whether it is whole."""
    with control_plane.http(paths.kubeconfig) as api:
        listed = api.get(CONFIGMAPS, params={"labelSelector": LABEL}).raise_for_status().json()
    return {
        item["metadata"]["name"]: item["data"] == _data(item["metadata"]["name"])
        for item in listed["items"]
    }


def clear(paths: TwinPaths) -> None:
    with control_plane.http(paths.kubeconfig) as api:
        api.delete(CONFIGMAPS, params={"labelSelector": LABEL}).raise_for_status()


def integrity(paths: TwinPaths) -> str:
    """What SQLite says of a copy of the datastore: ``ok``. The original is left as it is."""
    with tempfile.TemporaryDirectory() as folder:
        # Its log (`state.db-wal`) is gone where it was closed in order.
        for file in paths.kubernetes.glob("state.db*"):
            shutil.copy(file, Path(folder))
        database = sqlite3.connect(Path(folder) / "state.db")
        try:
            return str(database.execute("PRAGMA integrity_check").fetchone()[0])
        finally:
            database.close()
