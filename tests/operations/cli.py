"""Single `hub` commands on a database of a test, in this process: most of a command's time is starting Python."""

from __future__ import annotations

from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from hub.cli import main

__all__ = ["Done", "hub_command"]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def hub_command(database_url: str, folder: Path, *arguments: str, **extra: str) -> Done:
    """`hub …` in `folder`; `extra` are further settings by their names. What is no error of ours is raised."""
    settings = {"HUB_DATA_DIR": str(folder / "hub-data"), "HUB_DATABASE__URL": database_url, **extra}
    with chdir(folder):
        result = CliRunner(env=settings).invoke(main, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
