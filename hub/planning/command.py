"""The command line of the planner. Light to import: every start of `hub` reads this."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from hub.clock import begun
from hub.errors import HubError
from hub.planning.kernels import are_compiled, keep_machine_code

__all__ = ["plan"]

FORMATS = ("json", "hhcrsp", "uhhc", "solomon")


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(FORMATS), default="json", show_default=True, help="What FILE is.")
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Wall time of the whole command."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Where luck begins.")
@click.option("--threads", type=click.IntRange(1, 64), default=None, help="Searches side by side; all cores if absent.")
@click.option("--explain", default=None, metavar="VISIT", help="Why this carer? Prints that instead (json alone).")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Where the routes go.")
def plan(
    file: Path, kind: str, seconds: float, seed: int, threads: int | None, explain: str | None, out: Path | None
) -> None:
    """Plans a day: who goes where, when, and what cannot be done and why. 排班与路线规划。

    FILE may be packed with gzip. Without --out the routes of a json problem go to standard output; the other formats
    print their published objective and its parts. Ctrl-C ends the search early with the best plan so far.
    docs/planning.md describes the formats.
    """
    since = begun()
    if explain is not None and kind != "json":
        raise click.UsageError("--explain goes with --format json")
    keep_machine_code()
    if kind != "solomon" and not are_compiled():
        click.echo("hub: compiling the planner, once; this takes about half a minute", err=True)
    with _Bar() as bar:
        try:
            # Half a second of imports and the compiler: `hub serve` must not pay for them.
            found = import_module("hub.planning.solving").solve_file(
                file,
                kind,
                since=since,
                seconds=seconds,
                seed=seed,
                threads=threads or _cores(),
                progress=bar,
                explain_visit=explain,
            )
            bar.close()
            if out is not None:
                _write(out, found.routes)
        except HubError as error:
            bar.close()
            click.echo(f"hub: {error.detail}", err=True)
            sys.exit(1)
    if found.stopped:
        click.echo("hub: stopped early; this is the best plan so far", err=True)
    shown = found.summary if out is not None or kind != "json" or explain is not None else found.routes
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2))


def _write(out: Path, routes: dict[str, Any]) -> None:
    """Whole or not at all: a reader never sees half a plan."""
    beside = out.with_name(f".{out.name}.part")
    try:
        beside.write_text(json.dumps(routes, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise HubError(f"{out}: {error.strerror or error}") from error


class _Bar:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=1000, file=sys.stderr, show_eta=False, label="planning").__enter__()
        return self

    def __call__(self, cost: float, share: float) -> None:
        if self._bar is not None:
            self._bar.label = f"cost {cost:,.1f}" if cost < float("inf") else "planning"
            self._bar.update(max(0, int(share * 1000) - self._bar.pos))

    def close(self) -> None:
        """Ends the line, so that what follows has its own."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None

    def __exit__(self, *_: object) -> None:
        self.close()
