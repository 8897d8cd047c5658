"""What can go wrong, told so that it can be shown to a person as it is."""

from __future__ import annotations


class ClientError(Exception):
    """What happened, why, and what to do next."""


class ImageError(ClientError):
    """This cannot be sent as a picture."""


class ServiceError(ClientError):
    """The service gave no answer, or not the whole of it."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; ``None`` when there was no response."""
        self.code = code
        """The service's own name for it, such as ``model_unavailable`` of docs/api.md."""
        self.retry_after = retry_after
        """Seconds that the service asked to wait."""


class NotConnectedError(ServiceError):
    """Nothing was sent."""
