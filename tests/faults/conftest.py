"""The faults are injected into a twin of their own."""

from tests.twin.conftest import hub, tools

__all__ = ["hub", "tools"]
