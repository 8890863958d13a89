"""Recordings for the tests, line by line; times are minutes and seconds after two in the morning."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.replay import Night, Recording, RuleSet, play, read_recording

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)  # two in the morning there


def clock(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


class Tape:
    """Lines of a recording."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, **record: Any) -> Tape:
        self.lines.append(json.dumps(record, ensure_ascii=False))
        return self

    def home(self, resident: str = "R1", *devices: str, **fields: Any) -> Tape:
        self.add(kind="resident", id=resident, name="陈秀英", **fields)
        for device in devices or ("W1",):
            self.add(kind="device", id=device, family="care", resident_id=resident)
        return self

    def press(self, minutes: float, device: str = "W1", kind: str = "sos", **fields: Any) -> Tape:
        body = {"ref": f"{device}-{minutes}", "type": kind, "observed_at": clock(minutes), **fields}
        topic = f"care/v1/{device}/up/alarm"
        return self.add(received_at=clock(minutes), family="care", device_id=device, topic=topic, payload=body)

    def vitals(self, minutes: float, device: str = "W1", **values: float) -> Tape:
        body = {"observed_at": clock(minutes), **values}
        topic = f"care/v1/{device}/up/vitals"
        return self.add(received_at=clock(minutes), family="care", device_id=device, topic=topic, payload=body)

    @property
    def recording(self) -> Recording:
        return read_recording(self.lines)

    def play(self, rules: RuleSet | None = None) -> Night:
        return play(self.recording, ZONE, rules or RuleSet())


def outcomes(night: Night, *what: str) -> list[tuple[str, str]]:
    return [(one.outcome, one.type) for one in night.decided if one.what in (what or ("alarm",))]
