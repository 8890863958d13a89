"""`simulate`: the simulators from the command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from simulators.device import Happening
from simulators.fleet import Report, run_scenario
from simulators.kinds import TCP_FAMILIES
from simulators.ledger import LedgerError
from simulators.roster import read_credentials
from simulators.scenario import bundled, load_scenario
from simulators.stage import PLAYS, Play
from simulators.tables import ScenarioError

__all__ = ["main"]


@click.group()
def main() -> None:
    """Simulated watches, robots, phones, home sensors and field staff. 模拟设备与现场人员。"""


@main.command("list")
def list_scenarios() -> None:
    """The scenarios that come with the simulators. 自带场景。"""
    for name in bundled():
        try:
            title = load_scenario(name).title
        except ScenarioError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{name:<12} {title}")


@main.command("run")
@click.argument("scenario")
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="mqtt://HOST:PORT or mqtts://…")
@click.option(
    "--api", default=None, help="The hub's address (http://127.0.0.1:8080) for the field staff; none: no staff."
)
@click.option("--watch", default=None, metavar="HOST:PORT", help="The hub's listener for bracket watches.")
@click.option(
    "--tcp", multiple=True, metavar="FAMILY=HOST:PORT", help="The hub's listener for iw, minifinder2, gt06 or h02."
)
@click.option(
    "--world", type=click.Path(path_type=Path, dir_okay=False), help="Fleet file (JSON) in place of the scenario's."
)
@click.option("--credentials", type=click.Path(path_type=Path, dir_okay=False), help="JSON {device_id: secret}.")
@click.option("--ca-file", type=click.Path(path_type=Path, dir_okay=False), help="Certificates to trust for TLS.")
@click.option("--seed", type=int, default=None, help="The same seed gives the same day.")
@click.option("--speed", type=click.FloatRange(0.01, 10_000), default=None, help="Scenario time against wall time.")
@click.option(
    "--ledger", type=click.Path(path_type=Path, dir_okay=False), help="JSON lines for `hub reconcile --sent`."
)
@click.option("--duration", type=click.FloatRange(0.1), default=None, help="Ends after that many scenario seconds.")
@click.option("--quiet", is_flag=True, help="Only troubles and the report.")
@click.option(
    "--play",
    type=click.Choice(PLAYS),
    default="auto",
    show_default=True,
    help="Who acts at the desk in the scenes: nobody signed in there (auto), the simulators (all), people (devices).",
)
@click.option(
    "--captions", is_flag=True, help="Only captions on standard output, one JSON object a line; the rest on stderr."
)
@click.option("--telephone-fd", type=int, default=None, help="A listening socket, inherited, for the telephones.")
@click.option("--end-with-parent", is_flag=True, help="Ends when the program that started it has gone.")
def run_command(
    scenario: str,
    broker: str,
    api: str | None,
    watch: str | None,
    tcp: tuple[str, ...],
    world: Path | None,
    credentials: Path | None,
    ca_file: Path | None,
    seed: int | None,
    speed: float | None,
    ledger: Path | None,
    duration: float | None,
    quiet: bool,
    play: Play,
    captions: bool,
    telephone_fd: int | None,
    end_with_parent: bool,
) -> None:
    """Runs SCENARIO: the name of a bundled one (`simulate list`) or a TOML file. Ctrl-C ends it cleanly.

    The last line of standard output is the report, one JSON object (with --captions it goes to standard error).
    """
    try:
        report = asyncio.run(
            _run(
                scenario=scenario,
                broker=broker,
                api=api,
                watch=watch,
                tcp=tcp,
                world=world,
                credentials=credentials,
                ca_file=ca_file,
                seed=seed,
                speed=speed,
                ledger=ledger,
                duration=duration,
                tell=_caption if captions else _print_trouble if quiet else _print,
                play=play,
                telephone=None if telephone_fd is None else socket.socket(fileno=telephone_fd),
                end_with_parent=end_with_parent,
            )
        )
    except (ScenarioError, LedgerError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(report.as_object(), ensure_ascii=False), err=captions)


async def _run(
    *,
    scenario: str,
    broker: str,
    api: str | None,
    watch: str | None,
    tcp: tuple[str, ...],
    world: Path | None,
    credentials: Path | None,
    ca_file: Path | None,
    seed: int | None,
    speed: float | None,
    ledger: Path | None,
    duration: float | None,
    tell: Callable[[Happening], None],
    play: Play,
    telephone: socket.socket | None,
    end_with_parent: bool,
) -> Report:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    parent = asyncio.create_task(_outlive(os.getppid(), stop)) if end_with_parent else None
    report = await run_scenario(
        scenario,
        broker=broker,
        api=api,
        watch=watch,
        tcp=_families(tcp),
        seed=seed,
        speed=speed,
        ledger=ledger,
        duration_s=duration,
        world=world,
        credentials=None if credentials is None else read_credentials(credentials),
        ca_file=ca_file,
        play=play,
        telephone=telephone,
        stop=stop,
        tell=tell,
    )
    if parent is not None:
        parent.cancel()
    return report


def _families(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        family, sign, address = one.partition("=")
        if not sign or family not in TCP_FAMILIES:
            raise ValueError(f"--tcp {one}: FAMILY=HOST:PORT is wanted, with one of {', '.join(TCP_FAMILIES)}")
        found[family] = address
    return found


async def _outlive(parent: int, stop: asyncio.Event) -> None:
    """Sets `stop` when the parent is no longer ours: a killed demonstration must not leave a community behind."""
    while True:
        if os.getppid() != parent:
            stop.set()
            return
        await asyncio.sleep(0.5)


def _caption(happening: Happening) -> None:
    if happening.what != "caption":
        _print(happening, sys.stderr)
        return
    said = {"at_s": happening.at_s, "zh": happening.text, "en": happening.en, "cue": happening.device_id or None}
    print(json.dumps(said, ensure_ascii=False), flush=True)


def _print_trouble(happening: Happening) -> None:
    if happening.what == "trouble":
        _print(happening)


def _print(happening: Happening, to: TextIO | None = None) -> None:
    who = f"{happening.who} " if happening.who else ""
    line = f"{happening.at.astimezone():%H:%M:%S} {happening.what:<8} {who}{happening.device_id} {happening.text}"
    print(line, file=to or (sys.stderr if happening.what == "trouble" else sys.stdout), flush=True)
