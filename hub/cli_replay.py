"""`hub replay`, `hub record`, `hub shadow`: recorded nights, other rules, the old centre's list."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from hub import app
from hub.cli_devices import plain_errors
from hub.errors import BadRequestError
from hub.replay import Comparison, Difference, Night, decided_json, decided_line, differences, differing_summary
from hub.settings import load_settings

__all__ = ["record", "replay", "shadow"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--rules", type=_FILE, default=None, help="Play by this set of rules (TOML) instead of the hub's own.")
@click.option("--against", type=_FILE, default=None, help="Play by this set too, and show what differs.")
@click.option(
    "--old", type=_FILE, default=None, help="An old centre's list (CSV): what it missed, doubled, was late in."
)
@click.option("--late", type=click.FloatRange(1, 86400), default=60.0, show_default=True, help="With --old: seconds.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="The place's time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last one is the summary.")
@click.option("--quiet", is_flag=True, help="The summary only.")
@plain_errors
def replay(
    file: Path,
    rules: Path | None,
    against: Path | None,
    old: Path | None,
    late: float,
    zone: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Plays a recorded night through codecs, alarm rules and correlation: each decision with its reasons. No server.
    回放一夜的记录。

    Exit status 1 where lines of FILE could not be read or taken; they are named, and the rest is played.
    """
    place = app.zone_named(zone)
    found = app.replay_file(file, zone=place, rules=rules, against=against, old=old, late_s=late)
    differing = differences(found.night, found.other) if found.other is not None else None
    if not quiet and differing is None:
        _tell_decided(found.night, place, as_json=as_json)
    if not quiet and differing is not None:
        _tell_differing(differing, place, as_json=as_json)
    summary = {"summary": found.night.tally.to_json()}
    if found.other is not None and differing is not None:
        summary["differing"] = {"decisions": len(differing)} | differing_summary(found.night, found.other)
    if found.old is not None:
        summary["old_centre"] = found.old.to_json()
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
    else:
        _tell_summary(summary["summary"])
        if differing is not None:
            click.echo(f"不同的判定 decisions that differ: {len(differing)}")
            click.echo(json.dumps(summary["differing"], ensure_ascii=False))
        if found.old is not None:
            _tell_old(found.old, place)
    for wrong in found.wrong:
        click.echo(f"hub: {old}: {wrong}", err=True)
    bad = [*found.recording.bad, *found.night.bad]
    for one in bad:
        click.echo(f"hub: {file}: line {one.line}: {one.why}", err=True)
    if bad:
        sys.exit(1)


def _tell_decided(night: Night, zone: ZoneInfo, *, as_json: bool) -> None:
    for one in night.decided:
        click.echo(json.dumps(decided_json(one), ensure_ascii=False) if as_json else decided_line(one, zone))


def _tell_differing(differing: list[Difference], zone: ZoneInfo, *, as_json: bool) -> None:
    for item in differing:
        if as_json:
            click.echo(json.dumps(item.to_json(), ensure_ascii=False))
            continue
        click.echo(f"≠ {', '.join(item.fields)}")
        for mark, one in (("-", item.one), ("+", item.other)):
            click.echo(f"  {mark} {decided_line(one, zone) if one is not None else '—'}")


def _tell_summary(tally: dict[str, object]) -> None:
    click.echo(
        f"报文 uplinks {tally['uplinks']} · 拒绝 rejected {tally['rejected']} · 重复 repeats {tally['repeats']} · "
        f"事件 incidents {tally['incidents']} · 并入 folded {tally['folded']} · "
        f"仅记录 recorded {tally['recorded_only']} · "
        f"响铃 rings {tally['rings']} · 测试 tests {tally['tests']}"
    )


def _tell_old(found: Comparison, zone: ZoneInfo) -> None:
    body = found.to_json()
    click.echo(
        f"旧中心 old centre: {found.theirs} 条 rows, 本系统 ours {found.ours}; 漏接 missed {len(found.missed)}, "
        f"重复 doubled {len(found.doubled)}, 超过 {found.late_s:g} 秒应答 answered late {len(found.late)}, "
        f"仅旧中心有 only there {len(found.only_there)}; "
        f"应答 answered p50 {_seconds(body['answered_p50_s'])}, p95 {_seconds(body['answered_p95_s'])}"
    )
    for one in found.missed:
        click.echo(
            f"  漏接 missed    {one.first_at.astimezone(zone):%m-%d %H:%M:%S} {one.type} {_whose(one.resident_id)}"
        )
    for one in found.doubled:
        rows = ", ".join(row.number or f"line {row.line}" for row in one.rows)
        when = one.first_at.astimezone(zone)
        click.echo(f"  重复 doubled   {when:%m-%d %H:%M:%S} {one.type} {_whose(one.resident_id)}: {rows}")
    for one, seconds in found.late:
        when = one.first_at.astimezone(zone)
        after = "never 从未" if seconds is None else _seconds(seconds)
        click.echo(f"  迟答 late      {when:%m-%d %H:%M:%S} {one.type} {_whose(one.resident_id)}: {after}")


def _whose(resident_id: str | None) -> str:
    return resident_id or "-"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"


def _at(text: str, option: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"{option}: a time like 2026-03-01T00:00+08:00, not {text!r}") from None
    if at.tzinfo is None:
        raise BadRequestError(f"{option}: needs an offset, such as +08:00")
    return at


@click.command()
@click.argument("file", type=_FILE)
@click.option("--since", required=True, help="RFC 3339 time, inclusive.")
@click.option("--until", required=True, help="RFC 3339 time, exclusive.")
@plain_errors
def record(file: Path, since: str, until: str) -> None:
    """Writes a span of this hub's own days to FILE, for `hub replay`; beside a running hub. 导出一夜的记录。

    It holds alarms, positions and measurements of people, without their names: keep it as you keep the database.
    """
    count = app.record_span(
        load_settings(), _at(since, "--since"), _at(until, "--until"), file, lambda words: click.echo(words, err=True)
    )
    click.echo(f"{file}: {count} records")


@click.command()
@click.argument("old", type=_FILE)
@click.option("--since", required=True, help="RFC 3339 time, inclusive.")
@click.option("--until", required=True, help="RFC 3339 time, exclusive.")
@click.option("--late", type=click.FloatRange(1, 86400), default=60.0, show_default=True, help="Seconds to an answer.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@plain_errors
def shadow(old: Path, since: str, until: str, late: float, as_json: bool) -> None:
    """What the old centre missed, doubled or answered late: its list OLD (CSV) beside what this hub heard. 影子报告。

    For a hub that runs in the shadow of another centre (HUB_SHADOW=true), and for any other.
    """
    settings = load_settings()
    found, wrong = app.compare_with_old(settings, old, _at(since, "--since"), _at(until, "--until"), late_s=late)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        _tell_old(found, ZoneInfo(settings.site.time_zone))
    for line in wrong:
        click.echo(f"hub: {old}: {line}", err=True)
