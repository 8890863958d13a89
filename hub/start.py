"""The entry of the `hub` command: loads it without the garbage collector, which would take a fifth of the start."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Runs `hub`. What was loaded stays: the collector is never to look at it again."""
    gc.disable()
    from hub.cli import main as command  # noqa: PLC0415 - loading it is what the collector must not see

    gc.freeze()
    gc.enable()
    command()
