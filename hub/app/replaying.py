"""`hub replay`, `hub record`, `hub shadow`: files and database in, a played night or a comparison out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.embedded import embedded_database
from hub.errors import BadRequestError
from hub.ports import Json
from hub.replay import (
    DEFAULT_RULES,
    Comparison,
    Night,
    OldRow,
    OurMatter,
    Recording,
    RuleSet,
    compare,
    matters_of,
    play,
    read_old_centre,
    read_recording,
    read_rule_set,
)
from hub.settings import Settings
from hub.store import PostgresDatabase, migrate, recorded, recorded_matters

__all__ = ["Replayed", "compare_with_old", "record_span", "replay_file", "zone_named"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A played night; `other`: by the second set of rules; `old`: beside the old centre's list; `wrong`: of that
    list's lines.
    """

    recording: Recording
    night: Night
    other: Night | None = None
    old: Comparison | None = None
    wrong: tuple[str, ...] = ()


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name. BadRequestError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequestError(f"--zone {name}: there is no such time zone", field="zone") from None


def replay_file(
    file: Path,
    *,
    zone: ZoneInfo,
    rules: Path | None = None,
    against: Path | None = None,
    old: Path | None = None,
    late_s: float = 60.0,
) -> Replayed:
    """Plays a recording. BadRequestError where a file cannot be read at all; bad lines are told of, and left out."""
    recording = read_recording(_text(file).splitlines())
    night = play(recording, zone, _rule_set(rules))
    other = play(recording, zone, _rule_set(against)) if against is not None else None
    if old is None:
        return Replayed(recording, night, other)
    rows, wrong = _old_rows(old, zone)
    return Replayed(recording, night, other, compare(matters_of(night), rows, late_s=late_s), tuple(wrong))


def _rule_set(path: Path | None) -> RuleSet:
    if path is None:
        return DEFAULT_RULES
    try:
        return read_rule_set(_text(path), path.name)
    except ValueError as error:
        raise BadRequestError(str(error)) from None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadRequestError(f"{path}: {error.strerror}") from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadRequestError(f"{path}: neither UTF-8 nor GB 18030")


@contextmanager
def _database(settings: Settings) -> Iterator[PostgresDatabase]:
    with embedded_database(settings) as url:
        migrate(url)
        with PostgresDatabase(url, min_size=0, max_size=2) as database:
            yield database


def _old_rows(path: Path, zone: ZoneInfo) -> tuple[list[OldRow], list[str]]:
    try:
        return read_old_centre(_text(path), zone)
    except ValueError as error:
        raise BadRequestError(f"{path.name}: {error}") from None


def record_span(settings: Settings, start: datetime, end: datetime, file: Path, tell: Callable[[str], None]) -> int:
    """Writes what happened in [start, end) to a new file, for `replay_file`; gives the number of records."""
    if end <= start:
        raise BadRequestError("--until must be later than --since")
    if end - start > timedelta(days=31):
        raise BadRequestError("at most 31 days at once")
    if file.exists():
        raise BadRequestError(f"{file}: is there already")
    count = 0
    with _database(settings) as database, file.open("x", encoding="utf-8") as out:
        for record in _counted(recorded(database, start, end), tell):
            out.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
            count += 1
    return count


def _counted(records: Iterator[Json], tell: Callable[[str], None]) -> Iterator[Json]:
    for number, record in enumerate(records, 1):
        if number % 50_000 == 0:
            tell(f"{number} records")
        yield record


def compare_with_old(
    settings: Settings, old: Path, start: datetime, end: datetime, *, late_s: float
) -> tuple[Comparison, list[str]]:
    """The hub's own incidents of [start, end) beside the old centre's list."""
    zone = ZoneInfo(settings.site.time_zone)
    rows, wrong = _old_rows(old, zone)
    within = [row for row in rows if start <= row.opened_at < end]
    with _database(settings) as database:
        ours = [
            OurMatter(
                id=row["id"],
                first_at=row["first_alarm_at"],
                last_at=row["last_alarm_at"],
                type=row["type"],
                priority=row["priority"],
                alarm_class=row["class"],
                resident_id=row["resident_id"],
                name=row["name"],
                device_ids=set(row["devices"]),
                presses=row["alarm_count"],
            )
            for row in recorded_matters(database, start, end)
        ]
    return compare(ours, within, late_s=late_s), wrong
