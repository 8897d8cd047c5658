"""A resource of Google's as a declaration: kept in the store and read back from it."""

from __future__ import annotations

import re
from abc import abstractmethod

from twin.providers.google_store import GoogleStore
from twin.providers.properties import Properties
from twin.providers.protocol import Created, Operation


class GoogleResource:
    """What all types have in common; a type says what Google computes and refuses.

    Which property replaces is marked ``ForceNew`` in the type's schema in
    terraform-provider-google-beta 7.45, which pulumi-gcp is made of.
    """

    replacing: tuple[str, ...] = ()
    """Properties that cannot be changed, with all that is in them."""
    updating: tuple[str, ...] = ()
    """What can be changed nevertheless inside of ``replacing``."""

    def __init__(self, store: GoogleStore, project: str) -> None:
        self.store = store
        self.project = project

    @abstractmethod
    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        """The id and the attributes that Google adds."""

    def record(self, id_: str, outputs: Properties) -> str:
        """The name under which the store keeps it."""
        return id_

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        return []

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        return _is_in(self.replacing, path) and not _is_in(self.updating, path)

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        return inputs

    def create(self, inputs: Properties, operation: Operation) -> Created:
        if operation.preview:
            return Created("", inputs)
        id_, more = self.computed(inputs)
        outputs = {"project": self.project, **inputs, **more}
        self._keep(id_, outputs)
        return Created(id_, outputs)

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        outputs = {**old, **inputs}
        if not operation.preview:
            self._keep(id_, outputs)
        return outputs

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        return outputs if self.store.get(self.record(id_, outputs)) is not None else None

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        self.store.remove(self.record(id_, outputs))

    def _keep(self, id_: str, outputs: Properties) -> None:
        declared = {k: v for k, v in outputs.items() if k != "secretData"}
        self.store.put(self.record(id_, outputs), declared)


def _is_in(properties: tuple[str, ...], path: str) -> bool:
    """Whether a path, as the engine shows it, is one of the properties or inside of one."""
    plain = re.sub(r"\[[^]]*\]", "", path)
    return any(f"{plain}.".startswith(f"{each}.") for each in properties)
