"""Whole runs: Python API and command line, on a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.device import Happening
from simulators.fleet import Report, run_scenario
from simulators.ledger import read_ledger
from tests.simulators.responder import EchoHub
from tests.waiting import wait_until

FLEET = """
title = "t"
settle_s = 20
[fleet.make]
prefix = "{prefix}"
watch = 5
pull_cord = 2
radar = 1
robot = 1
app = 1
door = 1
motion = 1
bed = 1
smoke = 1
gas = 1
water_leak = 1
"""


def scenario(folder: Path, prefix: str, rest: str) -> Path:
    path = folder / "s.toml"
    path.write_text(FLEET.format(prefix=prefix) + rest, encoding="utf-8")
    return path


def test_a_whole_fleet_presses_measures_and_is_told(hub: EchoHub, broker_url: str, tmp_path: Path) -> None:
    path = scenario(
        tmp_path,
        "fleet",
        """
        [[beat]]
        at_s = 60
        device = "watch"
        count = 5
        type = "sos"
        cancel_after_s = 30
        [[beat]]
        at_s = 120
        device = "radar"
        type = "fall"
        note = "卫生间"
        [[beat]]
        at_s = 130
        device = "watch"
        do = "cut"
        count = 2
        for_s = 60
        [[beat]]
        at_s = 140
        device = "robot"
        type = "low_battery"
        [[load]]
        from_s = 150
        for_s = 60
        presses_per_s = 0.5
        telemetry_per_s = 2
        """,
    )
    told: list[Happening] = []
    report: Report = asyncio.run(
        run_scenario(
            path,
            broker=broker_url,
            ledger=tmp_path / "ledger.jsonl",
            speed=120,
            duration_s=840,
            repeat_s=(0.3, 0.6),
            retry_s=(0.05, 0.2),
            tell=told.append,
        )
    )
    assert report.counters.presses == 5 + 5 + 1 + 1 + 30
    assert report.open == 0
    entries = read_ledger(tmp_path / "ledger.jsonl")
    assert len(entries) == report.counters.presses
    assert {entry.told for entry in entries} == {"received"}
    # What the hub saw is what the ledger says: nothing lost, nothing invented.
    seen = {(device, alarm["ref"]) for device, alarm in hub.seen}
    assert {(entry.device_id, entry.ref) for entry in entries} == seen
    kinds = {topic.split("/")[4] for topic, _ in hub.uplinks if topic.startswith("care/v1/fleet-")}
    assert kinds == {"vitals", "location", "activity", "status"}
    low = next(alarm for device, alarm in hub.seen if device.startswith("fleet-robot"))
    assert low["battery_pct"] <= 9
    assert report.as_object()["presses"] == 42
    assert {"pressed", "told", "beat"} <= {happening.what for happening in told}


def test_the_same_seed_presses_the_same(hub: EchoHub, broker_url: str, tmp_path: Path) -> None:
    pressed: list[list[tuple[str, str]]] = []
    for turn in range(2):
        path = scenario(tmp_path, f"same{turn}", "[[load]]\nfor_s = 40\npresses_per_s = 1\n")
        ledger = tmp_path / f"{turn}.jsonl"
        asyncio.run(run_scenario(path, broker=broker_url, ledger=ledger, speed=40, duration_s=41, seed=9, run="x"))
        pressed.append(
            [(entry.device_id.partition("-")[2], entry.type or "") for entry in read_ledger(ledger)],
        )
    assert pressed[0] == pressed[1]
    assert len(pressed[0]) == 40
    assert hub.seen


def test_a_run_without_a_broker_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="--broker"):
        asyncio.run(run_scenario(scenario(tmp_path, "x", ""), broker=None))


def test_ctrl_c_ends_cleanly_with_the_ledger_whole(hub: EchoHub, broker_url: str, tmp_path: Path) -> None:
    hub.answer = lambda _device, _alarm, _times: None
    path = scenario(tmp_path, "ctrlc", '[[beat]]\nat_s = 0.1\ndevice = "watch"\ntype = "sos"\n')
    ledger = tmp_path / "ledger.jsonl"
    for number in (signal.SIGINT, signal.SIGTERM):
        seen = len(hub.seen)
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators", "run", str(path), "--broker", broker_url, "--ledger", str(ledger)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_until(lambda seen=seen: len(hub.seen) > seen, 20, what="the press")
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
        assert process.returncode == 0, err
        report = json.loads(out.splitlines()[-1])
        assert report["open"] == 1
        assert "Traceback" not in err
    assert [entry.told for entry in read_ledger(ledger)] == [None, None]


def test_it_ends_with_the_program_that_started_it(hub: EchoHub, broker_url: str, tmp_path: Path) -> None:
    path = scenario(tmp_path, "orphan", "")
    command = [sys.executable, "-m", "simulators", "run", str(path), "--broker", broker_url, "--end-with-parent"]
    starter = f"import subprocess; print(subprocess.Popen({command!r}).pid, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        wait_until(lambda: any("orphan" in topic for topic, _ in hub.uplinks), 20, what="the first uplink")
        parent.kill()
        # The child holds the other end of the pipe: its last word is the report, then the stream ends.
        assert json.loads(parent.stdout.read().splitlines()[-1])["devices"] == 16
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_the_list_names_every_bundled_scenario() -> None:
    result = CliRunner().invoke(main, ["list"])
    assert result.exit_code == 0
    for name in ("quiet-day", "liuan-day", "burst", "chaos"):
        assert name in result.output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nope"], "neither a file nor a bundled scenario"),
        (["quiet-day", "--broker", "http://x"], "mqtt or mqtts"),
        (["quiet-day", "--broker", "mqtt://:1"], "no host"),
        (["quiet-day", "--broker", "mqtt://x:99999"], "ort"),
        (["quiet-day", "--watch", "9000"], "HOST:PORT"),
        (["quiet-day", "--world", "/nowhere.json"], "/nowhere.json: cannot be read"),
        (["quiet-day", "--credentials", "/nowhere.json"], "/nowhere.json: cannot be read"),
        (["quiet-day", "--ledger", "/proc/none/ledger"], "/proc/none/ledger"),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments: list[str], what: str) -> None:
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 1
    assert what in result.output
    assert len(result.output.strip().splitlines()) == 1
