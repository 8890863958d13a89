"""The senders' own ledger: nothing leaves before it is written down."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.ledger import Ledger, LedgerError, read_ledger

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def press(ledger: Ledger, ref: str, device: str = "w1") -> None:
    ledger.pressed(device, ref, NOW, type="sos", observed_at=NOW)


def test_a_press_is_in_the_file_at_once_and_an_answer_supersedes_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    press(ledger, "a")
    row = json.loads(path.read_text())
    assert (row["device_id"], row["ref"], row["told"]) == ("w1", "a", None)
    assert datetime.fromisoformat(row["sent_at"]) == NOW
    assert ledger.told("w1", "a", "received")
    assert [entry.told for entry in read_ledger(path)] == ["received"]
    assert len(path.read_text().splitlines()) == 2
    assert ledger.open == 0
    ledger.close()


def test_an_answer_never_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    press(ledger, "a")
    assert ledger.told("w1", "a", "handled")
    assert not ledger.told("w1", "a", "received")
    assert not ledger.told("w1", "unknown", "received")
    ledger.close()
    assert read_ledger(path)[0].told == "handled"


def test_the_same_ref_of_two_devices_is_two_presses(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    press(ledger, "a", "w1")
    press(ledger, "a", "w2")
    ledger.told("w2", "a", "received")
    ledger.close()
    entries = read_ledger(tmp_path / "ledger.jsonl")
    assert {(entry.device_id, entry.told) for entry in entries} == {("w1", None), ("w2", "received")}


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_skipped_and_cut_off_by_the_next_run(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "ledger.jsonl"
    first = Ledger(path)
    press(first, "a")
    press(first, "b")
    first.close()
    path.write_bytes(path.read_bytes()[:-cut])
    assert "a" in [entry.ref for entry in read_ledger(path)]
    second = Ledger(path)
    press(second, "c")
    second.close()
    refs = [entry.ref for entry in read_ledger(path)]
    # With only the line end missing the press stands; torn inside, it never left and is gone.
    assert refs == (["a", "b", "c"] if cut == 1 else ["a", "c"])


def test_a_bad_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"device_id": "w", "ref": "a", "sent_at": "x", "told": null}\nnonsense\n{}\n')
    with pytest.raises(LedgerError, match="line 2"):
        read_ledger(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=str(tmp_path)):
        Ledger(tmp_path)
    with pytest.raises(LedgerError, match="cannot read"):
        read_ledger(tmp_path / "none.jsonl")


def test_a_closed_ledger_takes_no_press(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        press(ledger, "a")


def test_without_a_file_it_answers_the_same() -> None:
    ledger = Ledger()
    press(ledger, "a")
    assert ledger.open == 1
    ledger.told("w1", "a", "received")
    assert [entry.told for entry in ledger.entries()] == ["received"]
