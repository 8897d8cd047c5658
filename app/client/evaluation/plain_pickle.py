"""RefCOCO's ``refs(unc).p``: read as data, never run as the program that a pickle is."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Never


class _PlainData(pickle.Unpickler):
    """Lists, dictionaries, strings and numbers; every class, and with it every call, is refused."""

    def find_class(self, module_name: str, global_name: str, /) -> Never:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def load(path: Path) -> Any:
    """What the file holds.

    Raises:
        ValueError: it holds more than plain data, or is no pickle.
    """
    with path.open("rb") as file:
        try:
            # Written by Python 2, whose strings are bytes.
            return _PlainData(file, encoding="utf-8", errors="replace").load()
        except Exception as error:  # noqa: BLE001 - broken pickles raise errors of any kind
            raise ValueError(f"{path.name} is not a pickle of plain data: {error}") from None
