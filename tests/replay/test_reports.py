"""Two rule sets on one night, and an old centre's list beside the hub's."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hub.cli import main
from hub.replay import RuleSet, compare, differences, matters_of, read_old_centre, read_rule_set
from hub.replay.centre import OldRow, OurMatter
from tests.replay.nights import START, ZONE, Tape


def test_the_same_set_differs_in_nothing() -> None:
    tape = Tape().home().press(0).press(1, kind="fall")
    assert differences(tape.play(), tape.play()) == []


def test_differences_name_what_one_set_raised_and_the_other_did_not() -> None:
    tape = Tape().home().press(20, kind="wandering")
    for minute in range(6):
        tape.vitals(minute, heart_rate_bpm=125)
    strict = RuleSet("strict", thresholds={"heart_rate_high": 120}, priorities={"wandering": "critical"})
    found = differences(tape.play(), tape.play(strict))
    assert [(one.fields, (one.one or one.other).type) for one in found if one.one or one.other] == [  # type: ignore[union-attr]
        (("missing",), "heart_rate_high"),
        (("priority",), "wandering"),
    ]
    assert found[0].one is None


def test_a_rule_that_raises_a_minute_later_is_one_difference() -> None:
    tape = Tape().home()
    for minute in range(12):
        tape.vitals(minute, heart_rate_bpm=118 + 3 * minute)
    later = RuleSet("later", thresholds={"heart_rate_high": 140})
    (found,) = differences(tape.play(), tape.play(later))
    assert found.fields == ("at",)


def test_a_rule_set_is_read_or_every_fault_named() -> None:
    text = 'close_after_min = 30\nchatter = false\n[thresholds]\nheart_rate_high = 120\n[rules]\noff = ["spo2_trend"]\n'
    found = read_rule_set(text + '[priorities]\nwandering = "critical"\n', "a.toml")
    assert (found.close_after_min, found.chatter, found.off) == (30.0, False, frozenset({"spo2_trend"}))
    assert "spo2_trend" not in found.rules
    wrong = '[thresholds]\nheart_rate_high = 1\nnope = 2\n[rules]\noff = ["x"]\n[priorities]\nsos = "loud"\n[other]\n'
    with pytest.raises(ValueError, match="nope") as error:
        read_rule_set(wrong, "b.toml")
    for word in ("rules.off", "priorities.sos", "other"):
        assert word in str(error.value)
    with pytest.raises(ValueError, match=r"c\.toml"):
        read_rule_set("= 1", "c.toml")


OLD = """编号,老人编号,报警类型,接警时间,受理时间
A1,R1,SOS,2026-03-02 02:00:10,2026-03-02 02:00:40
A2,R1,SOS,2026-03-02 02:00:30,
A3,R2,跌倒,2026/03/02 02:10:00,2026/03/02 02:15:00
A4,R9,电话,2026-03-02 02:30:00,2026-03-02 02:30:05
A5,R1,坏,昨天,
"""


def old_night() -> Tape:
    tape = Tape().home("R1", "W1").home("R2", "W2").home("R3", "W3")
    tape.press(0, "W1").press(10, "W2", "fall").press(20, "W3").press(21, "W3", "low_battery")
    return tape.press(30, "W3", "sos", test=True, ref="t")


def test_what_the_old_centre_missed_doubled_and_answered_late() -> None:
    rows, wrong = read_old_centre(OLD, ZONE)
    assert (len(rows), wrong) == (4, ["line 6: '昨天' is no time"])
    found = compare(matters_of(old_night().play()), rows)
    assert (found.ours, found.theirs) == (3, 4), "neither the test nor the battery"
    assert [one.resident_id for one in found.missed] == ["R3"]
    assert [(one.resident_id, [row.number for row in one.rows]) for one in found.doubled] == [("R1", ["A1", "A2"])]
    assert [(one.resident_id, seconds) for one, seconds in found.late] == [("R2", 300.0)]
    assert [row.number for row in found.only_there] == ["A4"]
    assert found.to_json()["answered_p50_s"] == 40.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200)), max_size=12), st.integers(0, 12))
def test_every_row_and_every_matter_is_accounted_for_once(presses: list[tuple[int, int]], rows: int) -> None:
    ours = [
        OurMatter(
            str(n), START + timedelta(minutes=m), START + timedelta(minutes=m), "sos", "critical", "emergency", f"R{r}"
        )
        for n, (r, m) in enumerate(presses)
    ]
    old = [OldRow(n + 2, START + timedelta(minutes=17 * n), resident=f"R{n % 4}") for n in range(rows)]
    found = compare(ours, old)
    assert len(found.only_there) + sum(len(one.rows) for one in ours) == len(old)
    assert len(found.missed) == sum(not one.rows for one in ours)
    assert {one.id for one in found.doubled} == {one.id for one in ours if len(one.rows) > 1}


def test_a_list_without_the_needed_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="opened"):
        read_old_centre("a,b\n1,2\n", ZONE)
    with pytest.raises(ValueError, match="whose"):
        read_old_centre("接警时间\n2026-03-02 02:00\n", ZONE)


def test_the_command_prints_decisions_reasons_and_reports(tmp_path: Path) -> None:
    tape = old_night()
    tape.lines.append("no line")
    night, old, rules = tmp_path / "night.jsonl", tmp_path / "old.csv", tmp_path / "r.toml"
    night.write_text("\n".join(tape.lines), encoding="utf-8")
    old.write_text(OLD, encoding="gb18030")
    rules.write_text('[priorities]\nfall = "high"\n', encoding="utf-8")
    run = CliRunner().invoke(main, ["replay", str(night), "--json", "--old", str(old)])
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.exit_code == 1, "a line could not be read"
    assert f"line {len(tape.lines)}: not JSON" in run.stderr
    assert [one["outcome"] for one in lines[:-1]] == ["open"] * 5
    assert all(one["reasons"] for one in lines[:-1])
    assert lines[-1]["summary"]["incidents"] == 5
    assert len(lines[-1]["old_centre"]["missed"]) == 1
    plain = CliRunner().invoke(main, ["replay", str(night), "--against", str(rules)])
    assert "≠ priority" in plain.stdout
    words = CliRunner().invoke(main, ["replay", str(night), "--old", str(old)])
    assert "漏接 missed 1" in words.stdout
    assert "nothing live for this subject and class" in words.stdout
    gone = CliRunner().invoke(main, ["replay", str(tmp_path / "gone.jsonl")])
    assert (gone.exit_code, gone.stdout) == (1, "")
