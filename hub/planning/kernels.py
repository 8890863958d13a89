"""Where the planner's machine code is kept: one folder for each version of its sources.

The compiler's own cache looks at the file of the function that is called, not at those it calls; after an upgrade it
could run old code. And a site's installation may be read-only. So the folder is the user's, and its name is a digest
of the sources.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

__all__ = ["SOURCES", "are_compiled", "keep_machine_code"]

SOURCES = ("arrays", "compiled", "decode", "moves", "search", "settle")
"""The modules of `dispatch.plan` that machine code is made of."""


def _folder() -> Path | None:
    spec = find_spec("dispatch.plan")
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((Path(spec.submodule_search_locations[0]) / f"{name}.py").read_bytes())
    return home / ".cache" / "care-hub" / f"kernels-{digest.hexdigest()[:16]}"


def keep_machine_code() -> None:
    """Tells the compiler the folder. To be called before `dispatch.plan.search` is imported; without a folder that can
    be written it keeps its own ways."""
    folder = _folder()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError:
        return
    import numba  # noqa: PLC0415 - half a second, which only planning may cost

    setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010 - numba's own way, unknown to its types


def are_compiled() -> bool:
    """Whether machine code of this version is there; without it the first plan waits for the compiler."""
    folder = _folder()
    return folder is not None and any(folder.rglob("*.nbc"))
