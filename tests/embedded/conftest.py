from __future__ import annotations

from tests.embedded.folders import made_folder, one_cluster, open_folder

__all__ = ["made_folder", "one_cluster", "open_folder"]
