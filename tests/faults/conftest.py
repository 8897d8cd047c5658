"""The faults are injected into a twin of their own."""

from tests.twin.conftest import hub

__all__ = ["hub"]
