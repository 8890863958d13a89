"""What the old centre missed, doubled or answered late: the hub's incidents beside the centre's own list. Pure.

The list is a CSV as its system writes it (comma, semicolon or tab; UTF-8 or GB 18030 is read by the caller). Columns
are found by their names, Chinese or English: a number, the resident's id or name, or the device, when it was opened,
and where they are there when it was answered and closed, and the type.

An incident of the hub and a row are the same matter where the resident (or the device) is the same and the row was
opened between two minutes before the first press and fifteen minutes after the last. Each row belongs to one incident,
the nearest. Late is an answer more than `late_s` after the first press, and none at all.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from hub.alarms import classify
from hub.ports import Json
from hub.replay.night import Night

__all__ = ["Comparison", "OldRow", "OurMatter", "compare", "matters_of", "read_old_centre"]

_BEFORE: Final = timedelta(minutes=2)
_AFTER: Final = timedelta(minutes=15)
LATE_S: Final = 60.0
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("number", "id", "incident", "no", "编号", "单号", "序号", "工单号", "警情编号"),
    "resident": ("resident_id", "resident", "elder_id", "老人编号", "老人id", "用户编号"),
    "name": ("name", "resident_name", "姓名", "老人", "老人姓名"),
    "device": ("device_id", "device", "imei", "设备编号", "设备号", "设备"),
    "type": ("type", "alarm_type", "类型", "报警类型", "告警类型"),
    "opened": (
        "opened_at",
        "opened",
        "time",
        "alarm_time",
        "received_at",
        "报警时间",
        "接警时间",
        "告警时间",
        "发生时间",
    ),
    "answered": (
        "answered_at",
        "answered",
        "handled_at",
        "acknowledged_at",
        "受理时间",
        "接听时间",
        "应答时间",
        "处理时间",
    ),
    "closed": ("closed_at", "closed", "resolved_at", "关闭时间", "办结时间", "结束时间", "完成时间"),
}
_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
)


@dataclass(frozen=True, slots=True)
class OldRow:
    """A row of the old centre's list. `line` of the file, from 2."""

    line: int
    opened_at: datetime
    number: str = ""
    resident: str = ""
    name: str = ""
    device: str = ""
    type: str = ""
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(slots=True)
class OurMatter:
    """An incident of the hub: first and last press, whose, what."""

    id: str
    first_at: datetime
    last_at: datetime
    type: str
    priority: str
    alarm_class: str
    resident_id: str | None = None
    name: str | None = None
    device_ids: set[str] = field(default_factory=set)
    presses: int = 1
    rows: list[OldRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missed`: the hub had it and the centre did not; `doubled`: the centre had it more than once; `late`: answered
    late, with the seconds (None: never); `only_there`: rows that are nothing of the hub's. `answers`: seconds to the
    answer of every matter the centre had.
    """

    ours: int
    theirs: int
    missed: tuple[OurMatter, ...]
    doubled: tuple[OurMatter, ...]
    late: tuple[tuple[OurMatter, float | None], ...]
    only_there: tuple[OldRow, ...]
    answers: tuple[float, ...]
    late_s: float = LATE_S

    def to_json(self) -> Json:
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "missed": [_matter_json(one) for one in self.missed],
            "doubled": [_matter_json(one) for one in self.doubled],
            "late": [_matter_json(one) | {"answered_after_s": seconds} for one, seconds in self.late],
            "only_there": [_row_json(one) for one in self.only_there],
            "late_after_s": self.late_s,
            "answered_p50_s": _percentile(self.answers, 0.5),
            "answered_p95_s": _percentile(self.answers, 0.95),
        }


def read_old_centre(text: str, zone: tzinfo) -> tuple[list[OldRow], list[str]]:
    """Rows of the list, and what is wrong with the lines that could not be read. Times without an offset are `zone`'s.

    ValueError: the columns that are needed are not there.
    """
    text = text.lstrip("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [_plain(one) for one in next(reader, [])]
    places = {
        what: next((names.index(_plain(one)) for one in known if _plain(one) in names), None)
        for what, known in _COLUMNS.items()
    }
    if places["opened"] is None:
        raise ValueError(f"no column says when it was opened; one of {', '.join(_COLUMNS['opened'])} is needed")
    if places["resident"] is None and places["device"] is None and places["name"] is None:
        raise ValueError("no column says whose it is: a resident's id or name, or a device is needed")
    rows: list[OldRow] = []
    wrong: list[str] = []
    for line, cells in enumerate(reader, 2):
        if not any(cell.strip() for cell in cells):
            continue
        said = {
            what: cells[place].strip() if place is not None and place < len(cells) else ""
            for what, place in places.items()
        }
        try:
            opened_at = _time(said["opened"], zone)
            if opened_at is None:
                raise ValueError("no time of opening")
            rows.append(
                OldRow(
                    line,
                    opened_at,
                    number=said["number"],
                    resident=said["resident"],
                    name=said["name"],
                    device=said["device"],
                    type=said["type"],
                    answered_at=_time(said["answered"], zone),
                    closed_at=_time(said["closed"], zone),
                )
            )
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
    return rows, wrong


def _plain(name: str) -> str:
    return name.strip().strip('"').lower().replace(" ", "_")


def _time(text: str, zone: tzinfo) -> datetime | None:
    if not text or text in ("-", "--", "无", "NULL", "null"):
        return None
    found: datetime | None = None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for form in _FORMATS:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007
            except ValueError:
                continue
            break
    if found is None:
        raise ValueError(f"{text!r} is no time")
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def matters_of(night: Night) -> list[OurMatter]:
    """The incidents of a played night that a centre should have had: tests and technical ones are none."""
    found: dict[str, OurMatter] = {}
    for one in night.decided:
        if (
            one.incident is None
            or one.outcome not in ("open", "fold")
            or one.alarm_class in ("test", "technical", None)
        ):
            continue
        matter = found.get(one.incident)
        if matter is None:
            alarm_class = one.alarm_class or classify(one.type)[0]
            matter = OurMatter(one.incident, one.at, one.at, one.type, one.priority or "", alarm_class, one.resident_id)
            matter.name = night.name_of(one.resident_id)
            found[one.incident] = matter
        else:
            matter.last_at = max(matter.last_at, one.at)
            matter.presses = max(matter.presses, one.press or 1)
        if one.device_id is not None:
            matter.device_ids.add(one.device_id)
    return list(found.values())


def compare(ours: Iterable[OurMatter], rows: Sequence[OldRow], *, late_s: float = LATE_S) -> Comparison:
    """The hub's incidents beside the centre's rows of the same span."""
    matters = sorted(ours, key=lambda one: (one.first_at, one.id))
    only_there: list[OldRow] = []
    for row in sorted(rows, key=lambda one: (one.opened_at, one.line)):
        near = [one for one in matters if _same(one, row)]
        if near:
            nearest = min(near, key=lambda one: abs((row.opened_at - one.first_at).total_seconds()))
            nearest.rows.append(row)
        else:
            only_there.append(row)
    late: list[tuple[OurMatter, float | None]] = []
    answers: list[float] = []
    for one in matters:
        if not one.rows:
            continue
        times = [row.answered_at for row in one.rows if row.answered_at is not None]
        if not times:
            late.append((one, None))
            continue
        seconds = max(0.0, (min(times) - one.first_at).total_seconds())
        answers.append(seconds)
        if seconds > late_s:
            late.append((one, seconds))
    return Comparison(
        ours=len(matters),
        theirs=len(rows),
        missed=tuple(one for one in matters if not one.rows),
        doubled=tuple(one for one in matters if len(one.rows) > 1),
        late=tuple(late),
        only_there=tuple(only_there),
        answers=tuple(sorted(answers)),
        late_s=late_s,
    )


def _same(matter: OurMatter, row: OldRow) -> bool:
    if not matter.first_at - _BEFORE <= row.opened_at <= matter.last_at + _AFTER:
        return False
    return (
        (bool(row.resident) and row.resident == matter.resident_id)
        or (bool(row.device) and row.device in matter.device_ids)
        or (bool(row.name) and not row.resident and row.name == matter.name)
    )


def _percentile(values: Sequence[float], share: float) -> float | None:
    """Of sorted values, the smallest that at least so many lie at or below."""
    if not values:
        return None
    return values[max(0, math.ceil(len(values) * share) - 1)]


def _matter_json(one: OurMatter) -> Json:
    return {
        "incident": one.id,
        "first_at": one.first_at.isoformat(),
        "type": one.type,
        "priority": one.priority,
        "resident_id": one.resident_id,
        "devices": sorted(one.device_ids),
        "presses": one.presses,
        "rows": [_row_json(row) for row in one.rows],
    }


def _row_json(row: OldRow) -> Json:
    return {
        "line": row.line,
        "number": row.number,
        "opened_at": row.opened_at.isoformat(),
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "type": row.type,
    }
