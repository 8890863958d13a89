"""The report for a device's maker: what is understood, missing, wrong; in both languages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.conformance import Heard, Report, assess
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW, al_frame, care, care_bytes, watch_text

_FRAMES = "captures/watch_frames.jsonl"


def codes(report: Report) -> dict[str, str]:
    return {finding.code: finding.en for finding in report.findings}


def test_a_good_device_conforms() -> None:
    at = NOW.isoformat()
    fix = {"lat": 31.9, "lon": 118.8, "accuracy_m": 8, "source": "gnss"}
    said = [
        care("alarm", {"ref": "1", "type": "sos", "observed_at": at, "fix": fix, "battery_pct": 80}),
        care("vitals", {"observed_at": at, "heart_rate_bpm": 72}),
        care("status", {"online": True, "battery_pct": 80}),
    ]
    report = assess("care", [Heard(one, received_at=NOW) for one in said], NOW)
    assert report.findings == ()
    assert not report.wrong
    assert report.alarms == {"sos": 1}
    assert report.fields["battery_pct"] == 2
    assert "没有发现错误" in report.to_text("zh")


def test_what_is_wrong_and_missing_is_said() -> None:
    year_ahead = (NOW + timedelta(days=180)).isoformat()
    said = [
        care_bytes("alarm", b"{"),
        care("alarm", {"type": "pressed", "observed_at": year_ahead}),
        care("nonsense", {"a": 1}),
        care("vitals", {"observed_at": NOW.isoformat(), "heart_rate_bpm": "fast"}),
    ]
    found = codes(assess("care", [Heard(one, received_at=NOW) for one in said], NOW))
    assert {"unreadable", "unknown_code", "clock_off", "unsupported", "field", "no_key", "field_missing"} <= set(found)
    assert "+180 d 0 h" in found["clock_off"]
    assert "no_battery" in found


def test_a_repeat_under_another_number_is_wrong() -> None:
    first = care("alarm", {"ref": "1", "type": "sos", "observed_at": NOW.isoformat()})
    second = care("alarm", {"ref": "2", "type": "sos", "observed_at": NOW.isoformat()})
    same = assess("care", [Heard(first, b"x"), Heard(first, b"x")], NOW)
    other = assess("care", [Heard(first, b"x"), Heard(second, b"x")], NOW)
    assert "repeat_differs" not in codes(same)
    assert "repeat_differs" in codes(other)


def test_fillers_and_fractions_are_pointed_at() -> None:
    vitals = [Heard(care("vitals", {"observed_at": NOW.isoformat(), "spo2_pct": 98, "battery_pct": 1}))] * 12
    found = codes(assess("care", vitals, NOW))
    assert "12 times" in found["constant"]
    assert "battery_fraction" in found


def test_a_wire_without_authentication_says_so() -> None:
    assert "unauthenticated" in codes(assess("watch", [Heard(watch_text(al_frame("00010000")))], NOW))


def test_a_flood_of_faults_stays_a_short_report() -> None:
    said = (Heard(care("alarm", {"type": f"t{n}", "ref": str(n), "observed_at": NOW.isoformat()})) for n in range(500))
    report = assess("care", said, NOW)
    assert len(report.findings) <= 70
    assert report.messages == 500


@needs(_FRAMES)
def test_the_command_prints_it(tmp_path: Path) -> None:
    text = "\n".join(row["frame"] for row in rows(_FRAMES) if row["encoding"] == "text")
    file = tmp_path / "frames.txt"
    file.write_text(text, encoding="utf-8")
    printed = CliRunner().invoke(main, ["conformance", "watch", str(file)])
    assert "符合性报告：watch" in printed.output
    asked = CliRunner().invoke(main, ["conformance", "watch", str(file), "--json"])
    body = json.loads(asked.output)
    assert body["messages"] == len(text.splitlines())
    assert body["understood"]["alarms"]["sos"] >= 1
    assert asked.exit_code == (0 if body["conforms"] else 1)


def test_the_command_names_a_family_that_is_none() -> None:
    answer = CliRunner().invoke(main, ["conformance", "toaster"], input="")
    assert answer.exit_code == 2
    assert "unknown family" in answer.output


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_sentence_is_in_both_languages(language: str) -> None:
    said = [Heard(care_bytes("alarm", b"[]")), Heard(care("vitals", {}), received_at=datetime.now(UTC))]
    text = assess("care", said, NOW).to_text("zh" if language == "zh" else "en")
    assert "{" not in text
    assert ("缺少" in text) == (language == "zh")


def test_nothing_heard_is_nothing_wrong() -> None:
    report = assess("care", [], NOW)
    assert (report.messages, report.findings) == (0, ())
