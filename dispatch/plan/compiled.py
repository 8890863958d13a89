"""One door to the compiler, typed, so that the rest of the package stays plain Python to the type checker.

Compiled code releases the interpreter's lock: several searches run side by side in threads of one process and share
the distance matrix. `cache=True` keeps the machine code on disk; numba does not notice a change in another file that a
function calls, so whoever runs the planner keeps one folder a version of these sources (`hub.planning.kernels`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["compiled", "woven"]

F = TypeVar("F", bound=Callable[..., Any])


_COMPILED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
_WOVEN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": False}


def compiled(function: F) -> F:
    """Machine code for `function`, made at the first call with given types and kept on disk."""
    return cast(F, njit(**_COMPILED)(function))


def woven(function: F) -> F:
    """A part of compiled functions, woven into its callers; it may make no arrays.

    Model and state are some thirty arrays. Handing them from function to function, with a reference counted for each,
    takes twenty times as long as the work itself.
    """
    return cast(F, njit(**_WOVEN)(function))
