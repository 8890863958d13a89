from __future__ import annotations

from tests.embedded.folders import open_folder

__all__ = ["open_folder"]
