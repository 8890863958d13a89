"""Small checks shared by the use cases."""

from __future__ import annotations

from hub.errors import ConflictError

__all__ = ["check_version"]


def check_version(current: int, wanted: int | None) -> None:
    """If-Match: ConflictError(code="version") where somebody wrote since the caller read."""
    if wanted is not None and wanted != current:
        raise ConflictError(
            f"it was changed meanwhile: version {current}, not {wanted}", code="version", version=current
        )
