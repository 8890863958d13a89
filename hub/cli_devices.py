"""The commands of devices and of people's files: `hub device add`, `hub load`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from devices import FAMILIES
from hub import app
from hub.errors import HubError, SettingError
from hub.settings import load_settings

__all__ = ["device", "load", "plain_errors"]

F = TypeVar("F", bound=Callable[..., Any])


def plain_errors(command: F) -> F:
    """Our own errors become one line and exit status 1 (2 for a setting); anything else is a fault and shows itself."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SettingError as error:
            click.echo(f"hub: {error.detail}", err=True)
            sys.exit(2)
        except HubError as error:
            click.echo(f"hub: {error.detail}", err=True)
            sys.exit(1)

    return run  # type: ignore[return-value]


@click.group()
def device() -> None:
    """Devices. 设备。"""


@device.command("add")
@click.argument("device_id", metavar="ID", required=False)
@click.option("--family", default=None, help=f"One of: {' '.join(FAMILIES)}.")
@click.option("--resident", default=None, help="The resident it belongs to.")
@click.option("--name", default=None, help="As shown to people.")
@click.option("--profile", default=None, help="Its device profile; that of its family if absent.")
@click.option("--upstream", default=None, help="The bridge, carrier or fleet it hangs on.")
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help="Many devices: CSV or XLSX.")
@click.option("--strict", is_flag=True, help="With --file: one bad row and nothing is taken.")
@plain_errors
def device_add(
    device_id: str | None,
    family: str | None,
    resident: str | None,
    name: str | None,
    profile: str | None,
    upstream: str | None,
    file: Path | None,
    strict: bool,
) -> None:
    """Adds a device; prints its credential once, as the last word of the output. 新增设备。

    With --file: one line `id,credential` a new device that has one, on standard output.
    """
    if file is not None:
        if any((device_id, family, resident, name, profile, upstream)):
            raise click.UsageError("--file brings everything with it: no ID and no other option beside it")
        _load(file, table="devices", strict=strict, dry=False, bad_file=None)
        return
    if device_id is None or family is None:
        raise click.UsageError("give ID and --family, or --file")
    secret = app.add_device(
        load_settings(), device_id, family, resident=resident, name=name, profile=profile, upstream=upstream
    )
    click.echo(
        f"added {device_id} ({family}); " + ("its credential, shown once: " if secret else "it needs none: "), nl=False
    )
    click.echo(secret or device_id)


@click.command()
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="All or nothing: one bad row and nothing is taken.")
@click.option("--preview", "dry", is_flag=True, help="Only show what would be done.")
@click.option(
    "--table",
    type=click.Choice(["areas", "stations", "residents", "staff", "crews", "contacts", "devices"]),
    default=None,
    help="What every row is about, where neither sheet nor file is named after it.",
)
@click.option("--bad", "bad_file", type=click.Path(path_type=Path), default=None, help="Bad rows go here, as CSV.")
@plain_errors
def load(path: Path, strict: bool, dry: bool, table: str | None, bad_file: Path | None) -> None:
    """Areas, stations, residents, contacts, staff, crews and devices from XLSX, CSV and GeoJSON. 导入人员、站点与设备。

    A preview first; good rows are taken, bad rows are returned with file, line and reason (exit status 1).
    """
    _load(path, table=table, strict=strict, dry=dry, bad_file=bad_file)


def _load(path: Path, *, table: str | None, strict: bool, dry: bool, bad_file: Path | None) -> None:
    def preview(checked: Any) -> None:
        for line in app.preview_lines(checked):
            click.echo(line, err=True)

    done = app.load(load_settings(), path, table=table, strict=strict, dry=dry, preview=preview)
    for one in done.bad:
        click.echo(f"{one.raw.file}:{one.raw.line}: {one.reason}", err=True)
    if bad_file is not None and done.bad:
        app.write_bad(bad_file, done.bad)
        click.echo(f"the bad rows are in {bad_file}", err=True)
    if done.taken:
        words = ", ".join(f"{name} {count}" for name, count in done.written.items()) or "nothing new"
        click.echo(f"taken; made or changed: {words}", err=True)
    elif dry:
        click.echo("preview only: nothing was written", err=True)
    else:
        click.echo("nothing was taken", err=True)
    for device_id, secret in done.secrets.items():
        click.echo(f"{device_id},{secret}")
    if done.bad:
        sys.exit(1)
