"""The `hub` command. Reads arguments, calls, prints; decides nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from devices import FAMILIES, UnknownFamilyError
from hub import app
from hub.cli_devices import device, load, plain_errors
from hub.cli_notify import notify
from hub.cli_replay import record, replay, shadow
from hub.clock import utc_now
from hub.conformance import Heard, Language, assess
from hub.decode import decode_lines
from hub.errors import HubError
from hub.planning import plan
from hub.ports import SCHEMES, Role, Scheme
from hub.settings import load_settings

__all__ = ["main"]

ROLES: tuple[Role, ...] = (
    "operator",
    "staff",
    "coordinator",
    "supervisor",
    "admin",
    "integrator",
    "family",
    "resident",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="care-hub", prog_name="hub")
def main() -> None:
    """Event hub for the care of older people living at home. 居家养老事件中枢。"""


@main.command()
@click.option("--only", default="", help="Run these parts only: any of api,bridge,jobs, separated by commas.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Telemetry connections of this process.")
@plain_errors
def serve(only: str, workers: int | None) -> None:
    """Runs the hub. Without a database or broker configured it brings its own, in the data directory. 启动中枢。"""
    parts = app.parse_parts(only)
    app.serve(load_settings(), parts=parts, workers=workers)


@main.command()
@click.option(
    "--residents", type=click.IntRange(5, 20_000), default=1240, show_default=True, help="Residents aged 60+."
)
@click.option("--speed", type=click.FloatRange(0.1, 60), default=1.0, show_default=True, help="How fast the day runs.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same community.")
@click.option(
    "--play",
    type=click.Choice(app.PLAYS),
    default="auto",
    show_default=True,
    help="Who acts at the desk: the simulators while nobody is signed in there (auto), always (all), never (devices).",
)
@plain_errors
def demo(residents: int, speed: float, seed: int, play: app.Play) -> None:
    """The hub with the sample community and simulators, on this machine only. 演示：柳岸社区与模拟设备。"""
    app.demo(load_settings(defaults=app.DEMO_DEFAULTS), residents=residents, speed=speed, seed=seed, play=play)


@main.command()
@click.option("--check", "check_only", is_flag=True, help="Only say what is missing; exit status 1 if anything is.")
@plain_errors
def migrate(check_only: bool) -> None:
    """Brings the database's schema up to date. 升级数据库结构。"""
    names = app.migrate_schema(load_settings(), check_only=check_only)
    for name in names:
        click.echo(f"{'missing' if check_only else 'applied'}: {name}")
    if not names:
        click.echo("the schema is up to date")
    if check_only and names:
        sys.exit(1)


@main.command()
@plain_errors
def check() -> None:
    """Are settings, database and broker right? In plain words. 检查配置、数据库与消息代理。"""
    good = True
    for line in app.check(load_settings()):
        click.echo(f"{'ok   ' if line.good else 'WRONG'} {line.what}: {line.words}")
        good = good and line.good
    if not good:
        sys.exit(1)


@main.group()
def user() -> None:
    """Accounts. 账号。"""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--person", default=None, help="The responder (staff), contact (family) or resident behind the account.")
@click.option("--full-name", default=None, help="As shown to others; the account's name if absent.")
@click.option("--phone", default=None, help="By which response plans reach it, where no person is behind it.")
@plain_errors
def user_add(name: str, role: Role, person: str | None, full_name: str | None, phone: str | None) -> None:
    """Adds an account. The password is the first line of standard input, or asked for. 新增账号。"""
    password = _read_password()
    app.add_user(load_settings(), name, role, person=person, full_name=full_name, phone=phone, password=password)
    click.echo(f"added {role} {name}")


def _read_password() -> str:
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    lines = sys.stdin.read().splitlines()
    if not lines or not lines[0]:
        raise HubError("no password: give it as the first line of standard input")
    if len(lines) > 1 and lines[1] and lines[1] != lines[0]:
        raise HubError("the two passwords differ")
    return lines[0]


def _read_secret(what: str) -> str:
    """One line of standard input, or what is typed at a prompt."""
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise HubError(f"no {what.lower()}: give it as a line of standard input")
    return line


main.add_command(device)
main.add_command(load)
main.add_command(plan)
main.add_command(notify)
main.add_command(replay)
main.add_command(record)
main.add_command(shadow)


@main.command()
@click.argument("family")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "hex_", is_flag=True, help="Binary frames as hex digits; replies in hex too.")
@click.option("--mqtt", is_flag=True, help='Lines are objects {"topic", "payload"}.')
@click.option("--stream", is_flag=True, help="Lines are hex chunks of one TCP stream; an object for each whole frame.")
def decode(family: str, file: Any, hex_: bool, mqtt: bool, stream: bool) -> None:
    """What the hub makes of messages: one a line in, one JSON object a line out. No server. 解码设备报文。"""
    try:
        results = decode_lines(family, _lines(file), hex=hex_, mqtt=mqtt, stream=stream, received_at=utc_now())
    except UnknownFamilyError as error:
        raise click.UsageError(str(error)) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for result in results:
        click.echo(result.to_text())
    for warning in results.warnings:
        click.echo(f"hub: {warning}", err=True)
    if results.any_error:
        sys.exit(1)


def _lines(file: Any) -> Iterator[bytes]:
    for line in file:
        yield bytes(line).rstrip(b"\r\n")


@main.command()
@click.argument("family")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "hex_", is_flag=True, help="Binary frames as hex digits.")
@click.option("--mqtt", is_flag=True, help='Lines are objects {"topic", "payload"}.')
@click.option("--stream", is_flag=True, help="Lines are hex chunks of one TCP stream.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words; both languages in it.")
def conformance(family: str, file: Any, hex_: bool, mqtt: bool, stream: bool, lang: Language, as_json: bool) -> None:
    """A report for a device's maker: what is understood, missing, wrong. No server. 设备符合性报告。

    FILE as for `hub decode`. Exit status 1 if anything is wrong.
    """
    now = utc_now()
    try:
        results = decode_lines(family, _lines(file), hex=hex_, mqtt=mqtt, stream=stream, received_at=now)
    except (UnknownFamilyError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    heard = (Heard(one.decoded, one.payload, place=f"#{one.number}") for one in results)
    report = assess(family, heard, now)
    click.echo(json.dumps(report.to_json(), ensure_ascii=False) if as_json else report.to_text(lang))
    if report.wrong:
        sys.exit(1)


@main.group()
def integration() -> None:
    """Makers' clouds that push to /api/v1/intake. 厂商云推送。"""


@integration.command("add")
@click.argument("name")
@click.option("--family", required=True, help=f"One of: {' '.join(FAMILIES)}.")
@click.option("--scheme", type=click.Choice(SCHEMES), required=True, help="How a push proves itself.")
@click.option(
    "--secret-stdin", is_flag=True, help="The secret is the first line of standard input: the maker dictates it."
)
@click.option(
    "--cipher-key-stdin",
    is_flag=True,
    help="The key OneNET encrypts its pushes with is the next line of standard input.",
)
@click.option("--devices", default="*", show_default=True, help="Ids it may speak for: a pattern with * and ?.")
@click.option("--rate", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Requests a second.")
@plain_errors
def integration_add(
    name: str, family: str, scheme: Scheme, secret_stdin: bool, cipher_key_stdin: bool, devices: str, rate: int
) -> None:
    """Lets a cloud push; prints its secret once, as the last word of the output. 新增推送来源。"""
    secret = _read_secret("Secret") if secret_stdin else None
    cipher_key = _read_secret("Cipher key") if cipher_key_stdin else None
    given = app.add_integration(
        load_settings(),
        name,
        family,
        scheme,
        secret=secret,
        devices=devices,
        rate_per_s=rate,
        cipher_key=cipher_key,
    )
    added = f"added {name}: {scheme} pushes to /api/v1/intake/{family}"
    click.echo(f"{added}, with the secret given" if secret else f"{added}; its secret, shown once: {given}")


@integration.command("list")
@plain_errors
def integration_list() -> None:
    """Every one, with when it was last used and why it was last refused. 推送来源列表。"""
    for row in app.integrations(load_settings()):
        state = "revoked" if row.revoked_at else "active"
        used = row.last_used_at.isoformat(timespec="seconds") if row.last_used_at else "never"
        refused = (
            f", refused {row.last_refused_at:%Y-%m-%dT%H:%M:%SZ}: {row.last_refusal}" if row.last_refused_at else ""
        )
        click.echo(f"{row.name}  {row.family}  {row.scheme}  devices {row.devices}  {state}, used {used}{refused}")


@integration.command("revoke")
@click.argument("name")
@plain_errors
def integration_revoke(name: str) -> None:
    """From now on its pushes are refused. 撤销推送来源。"""
    app.revoke_integration(load_settings(), name)
    click.echo(f"revoked {name}")


@main.command()
@click.option("--since", default=None, help="RFC 3339 time; everything if absent.")
@click.option("--sent", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The senders' own ledger.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
@plain_errors
def reconcile(since: str | None, sent: Path | None, as_json: bool) -> None:
    """Every uplink received against what became of it; with the senders' ledger also what never arrived. 对账。

    Exit status 1 if anything that was told is lost.
    """
    found = app.reconcile(
        load_settings(), since=since, sent=sent, warn=lambda words: click.echo(f"hub: {words}", err=True)
    )
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else found.to_text())
    if found.lost:
        sys.exit(1)


@main.command()
@click.argument("target", type=click.Path(path_type=Path), default=Path("."))
@click.option("--keep", type=click.IntRange(min=1), default=None, help="Of TARGET, a folder: keep that many backups.")
@click.option("--with-files", is_flag=True, help="Copies settings and certificates too: the file then holds secrets.")
@click.option("--quiet", is_flag=True, help="Only the last line.")
@plain_errors
def backup(target: Path, keep: int | None, with_files: bool, quiet: bool) -> None:
    """Writes everything the database holds to TARGET, a new file or a folder; beside a running hub. 备份。"""
    done = app.backup(load_settings(), target, keep=keep, with_files=with_files, progress=_progress(quiet=quiet))
    for old in done.removed:
        _progress(quiet=quiet)(f"removed {old}")
    click.echo(f"{done.path}: {done.manifest.rows} rows, {done.size} bytes, sha256 {done.sha256}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replaces everything in a database that is not empty.")
@click.option("--check", "check_only", is_flag=True, help="Only reads FILE whole and says what is in it.")
@plain_errors
def restore(file: Path, force: bool, check_only: bool) -> None:
    """Puts a backup back, while no hub runs; then says whether what it holds is whole. 恢复备份。

    Exit status 1 if an alarm that was taken is not there.
    """
    if check_only:
        manifest = app.backup_manifest(file, verify=True)
        click.echo(f"{file}: whole; {manifest.rows} rows of {manifest.made_at}, schema {manifest.migrations[-1]}")
        for kept in manifest.files:
            click.echo(f"  {kept.setting}: {kept.path} ({'copied' if kept.member else 'only noted'})")
        return
    done, found = app.restore_backup(load_settings(), file, force=force, progress=_progress(quiet=False))
    click.echo(found.to_text())
    click.echo(
        f"restored {done.rows} rows; everybody signs in again ({done.sessions_ended} sessions ended), "
        f"cursors begin anew (epoch {done.epoch})"
    )
    if found.lost:
        sys.exit(1)


@main.group()
def quarantine() -> None:
    """Uplinks that were kept aside: look at them, have them taken again, let them go. 隔离的报文。"""


@quarantine.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are settled too.")
@click.option("--device", default=None, help="Of this device only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, payloads and all.")
@plain_errors
def quarantine_list(everything: bool, device: str | None, as_json: bool) -> None:
    """In the order of receipt. 列出。"""
    for row in app.quarantined(load_settings(), everything=everything, device_id=device):
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else app.quarantined_text(row))


@quarantine.command("show")
@click.argument("number", type=click.IntRange(min=1))
@plain_errors
def quarantine_show(number: int) -> None:
    """One, with its raw bytes. 查看一条。"""
    click.echo(json.dumps(app.show_quarantined(load_settings(), number), ensure_ascii=False, indent=1))


@quarantine.command("replay")
@click.argument("numbers", type=click.IntRange(min=1), nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that waits.")
@click.option("--device", default=None, help="With --all: of this device only.")
@plain_errors
def quarantine_replay(numbers: tuple[int, ...], everything: bool, device: str | None) -> None:
    """Has uplinks taken again by the ordinary path, each once. Exit status 1 where one still waits. 重放。"""
    if bool(numbers) == everything:
        raise click.UsageError("give numbers, or --all")
    failed = 0
    for number, good, words in app.replay_quarantined(load_settings(), numbers, device_id=device):
        failed += not good
        click.echo(f"{'ok   ' if good else 'WAITS'} {number}: {words}")
    if failed:
        sys.exit(1)


@quarantine.command("discard")
@click.argument("numbers", type=click.IntRange(min=1), nargs=-1, required=True)
@click.option("--reason", required=True, help="Why they may go; kept with them.")
@plain_errors
def quarantine_discard(numbers: tuple[int, ...], reason: str) -> None:
    """Lets uplinks go; they stay listed as discarded. 放弃。"""
    for number in numbers:
        app.discard_quarantined(load_settings(), number, reason)
        click.echo(f"discarded {number}")


def _progress(*, quiet: bool) -> Callable[[str], None]:
    def tell(words: str) -> None:
        if not quiet:
            click.echo(f"{utc_now():%H:%M:%S} {words}", err=True)

    return tell
