"""Ledger, series, devices, presses."""

from __future__ import annotations

import random

import psycopg
import pytest

from hub.clock import new_id
from hub.errors import ConflictError
from hub.ports import DeviceRow, DeviceSeen, FixRow, ObservationRow, UplinkRow
from hub.store import PostgresDatabase
from hub.store.series import FEW
from tests.store.rows import NOW, Racers, alarm, at, key, opened, populate


def rows_of(database: PostgresDatabase, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_key_is_fresh_once(database: PostgresDatabase) -> None:
    one, two, three = key("1"), key("2"), key("3")
    with database.begin() as tx:
        assert tx.ledger.take([(one, NOW), (two, NOW), (one, NOW)]) == {one, two}
        assert tx.ledger.take([(two, NOW), (three, NOW)]) == {three}
        assert tx.ledger.take([]) == set()
    with database.begin() as tx:
        assert tx.ledger.take([(one, at(5))]) == set()
        assert tx.ledger.prune(at(1)) == 3
        assert tx.ledger.take([(one, at(6))]) == {one}


def test_a_key_of_a_rolled_back_batch_is_fresh_again(database: PostgresDatabase) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
        tx.ledger.take([(key("1"), NOW)])
        raise ZeroDivisionError
    with database.begin() as tx:
        assert tx.ledger.take([(key("1"), NOW)]) == {key("1")}


def test_workers_with_the_same_keys_in_any_order_share_them_out(database: PostgresDatabase) -> None:
    """Keys come in different orders to each worker: none is taken twice, and they never block one another for good."""
    keys = [key(str(number)) for number in range(400)]

    def take(seed: int) -> list[bytes]:
        mixed = keys[:]
        random.Random(seed).shuffle(mixed)
        taken: list[bytes] = []
        for start in range(0, len(mixed), 100):
            with database.begin("telemetry") as tx:
                taken += tx.ledger.take([(one, NOW) for one in mixed[start : start + 100]])
        return taken

    taken = [one for worker in Racers().run(*(lambda s=seed: take(s) for seed in range(4))) for one in worker]
    assert sorted(taken) == sorted(keys)


@pytest.mark.parametrize("few", [0, FEW], ids=["by COPY", "by a statement"])
def test_series_keep_every_value_as_it_was(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("hub.store.series.FEW", few)
    nasty = "tab\there \\ back\\nslash\nline \r 中文 \x00 end"
    with database.begin("telemetry") as tx:
        tx.series.write(
            [
                UplinkRow(NOW, "alarm", "W-1", nasty, key("1"), "rejected", nasty, 0, b"\x00\\\t\n\xff"),
                UplinkRow(NOW, "telemetry", None, None, None, "accepted"),
            ],
            [
                ObservationRow(at(1), NOW, "W-1", "R-1", "heart_rate_bpm", 71.25),
                ObservationRow(at(1), NOW, "W-1", None, "activity", None, "\\N", True),
                ObservationRow(at(1), NOW, "W-1", None, "odd", float("nan")),
                ObservationRow(at(1), NOW, "W-1", None, "odd", float("-inf")),
            ],
            [FixRow(at(1), NOW, "W-1", "R-1", 31.230416, 121.473701, None, "gnss")],
        )
    uplink = rows_of(database, "SELECT topic, key, reason, payload, events FROM uplinks WHERE lane = 'alarm'")[0]
    readable = nasty.replace("\x00", "\ufffd")
    assert uplink == (readable, key("1"), readable, b"\x00\\\t\n\xff", 0)
    assert rows_of(database, "SELECT device_id, topic, key, payload FROM uplinks WHERE lane = 'telemetry'") == [
        (None, None, None, None)
    ]
    assert rows_of(
        database, "SELECT metric, value::text, state, buffered FROM observations ORDER BY metric, value"
    ) == [
        ("activity", None, "\\N", True),
        ("heart_rate_bpm", "71.25", None, False),
        ("odd", "-Infinity", None, False),
        ("odd", "NaN", None, False),
    ]
    assert rows_of(database, "SELECT lat, lon, accuracy_m, source, observed_at FROM fixes") == [
        (31.230416, 121.473701, None, "gnss", NOW)
    ]


def seen_of(database: PostgresDatabase, device: str = "W-1") -> tuple[object, ...]:
    query = f"SELECT last_seen_at, online, battery_pct, last_fix, lat FROM devices WHERE id = '{device}'"
    return rows_of(database, query)[0]


def test_the_latest_word_of_a_device_wins_and_time_never_goes_back(database: PostgresDatabase) -> None:
    populate(database)
    fix = {"lat": 31.0, "lon": 121.0, "source": "gnss"}
    with database.begin() as tx:
        tx.devices.seen(
            [
                DeviceSeen("W-1", at(20), battery_pct=40),
                DeviceSeen("W-1", at(10), battery_pct=90, last_fix=fix),
                DeviceSeen("nobody", at(10)),
            ]
        )
    assert seen_of(database) == (at(20), True, 40, fix, 31.0)
    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(5), online=False, battery_pct=99, last_fix={"lat": 1, "lon": 1})])
    assert seen_of(database) == (at(20), True, 40, fix, 31.0), "an older word changes nothing"


def test_a_goodbye_tells_a_state_and_is_no_sign_of_life(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(10))])
    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(60), online=False), DeviceSeen("W-2", at(60), online=None)])
    assert seen_of(database)[:2] == (at(10), False)
    assert seen_of(database, "W-2")[:2] == (None, None)


def test_a_device_heard_again_within_a_second_is_not_written(database: PostgresDatabase) -> None:
    populate(database)

    def version() -> object:
        return rows_of(database, "SELECT xmin, ctid FROM devices WHERE id = 'W-1'")

    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(10), battery_pct=50)])
    before = version()
    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(10.9), battery_pct=50)])
    assert version() == before
    with database.begin() as tx:
        tx.devices.seen([DeviceSeen("W-1", at(10.9), battery_pct=49)])
    assert seen_of(database)[:3] == (at(10.9), True, 49), "news is written at once"


def test_workers_that_hear_the_same_devices_never_block_for_good(database: PostgresDatabase) -> None:
    ids = [f"D-{number}" for number in range(80)]
    with database.begin() as tx:
        tx.devices.adopt_unknown(dict.fromkeys(ids, "care"), NOW)

    def hear(seed: int) -> None:
        for round_ in range(8):
            mixed = ids[:]
            random.Random(seed * 100 + round_).shuffle(mixed)
            with database.begin("telemetry") as tx:
                tx.devices.seen([DeviceSeen(one, at(round_ * 20 + seed * 2)) for one in mixed])

    Racers().run(*(lambda s=seed: hear(s) for seed in range(4)))
    assert rows_of(database, "SELECT count(*), min(last_seen_at) FROM devices") == [(80, at(146))]


def test_devices_unknown_added_and_known(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        tx.devices.adopt_unknown({"N-1": "care", "W-1": "iw"}, NOW)
        found = tx.devices.get_many(["N-1", "W-1", "none"])
        assert found["N-1"] == DeviceRow("N-1", "care", None, None, adopted=False)
        assert found["W-1"].family == "care"
        assert "none" not in found
        tx.devices.add(DeviceRow("N-1", "iw", "R-1", None, {"polarity": 1}), name="新", secret_hash="argon2:y")
        assert tx.devices.get_many(["N-1"])["N-1"] == DeviceRow("N-1", "iw", "R-1", None, {"polarity": 1})
        assert tx.devices.secret_hash("N-1") == "argon2:y"
        with pytest.raises(ConflictError, match="N-1 is there already"):
            tx.devices.add(DeviceRow("N-1", "iw", None, None), name=None, secret_hash=None)


def test_each_press_is_a_row_and_a_repeat_is_counted(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.alarms.add_many(
            [
                (alarm("p-2", battery_pct=40, attributes={"code": "0x11"}, note="help\x00"), key("p-2"), row.id),
                (alarm("p-3", type="cancel", cancels="p-2"), key("p-3"), row.id),
            ]
        )
    with database.begin() as tx:
        assert tx.alarms.count_repeat([key("p-2"), key("never")]) == {key("p-2"): ("p-2", "open")}
        assert tx.alarms.incident_of_ref("W-1", "p-2") == row.id
        assert tx.alarms.incident_of_ref("W-2", "p-2") is None
        refs = tx.alarms.refs_of(row.id)
    assert [one for one in refs if one[2] in ("p-2", "p-3")] == [
        ("W-1", "care", "p-2", "sos"),
        ("W-1", "care", "p-3", "cancel"),
    ]
    assert rows_of(database, "SELECT repeats, note, attributes FROM alarms WHERE ref = 'p-2'") == [
        (1, "help\ufffd", {"code": "0x11"})
    ]


def test_the_second_fence_holds_when_the_ledger_has_forgotten(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    again = alarm("again")
    with pytest.raises(ConflictError) as caught, database.begin() as tx:
        tx.alarms.add_many([(again, key(row.id), row.id)])
    assert caught.value.code == "repeat"
    assert rows_of(database, "SELECT count(*) FROM alarms") == [(1,)]


def test_a_press_without_key_device_or_person_is_stored(database: PostgresDatabase) -> None:
    populate(database)
    walk_in = alarm(device_id=None, resident_id=None, ref=None, observed_at=None, source="person", id=new_id())
    with database.begin() as tx:
        tx.alarms.add_many([(walk_in, None, None), (alarm(ref="x", source="person"), None, None)])
    assert rows_of(database, "SELECT count(*) FROM alarms WHERE key IS NULL") == [(2,)]


def test_a_resident_carries_the_path_of_the_area(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        tx.residents.set_status("R-1", "hospital", "摔伤", at(5))
        found = tx.residents.get("R-1")
        assert tx.residents.get("none") is None
    assert found is not None
    assert found.area_path == ("310000", "310101-01", "310101-01-001")
    assert (found.status, found.status_since, found.lives_alone) == ("hospital", at(5), True)


def test_a_telemetry_batch_is_one_transaction(database: PostgresDatabase) -> None:
    """A batch that fails late leaves no ledger key behind: the redelivery is fresh."""
    populate(database)
    row = UplinkRow(NOW, "telemetry", "W-1", "t", key("1"), "accepted")
    bad = UplinkRow(NOW, "nowhere", "W-1", "t", key("1"), "accepted")  # type: ignore[arg-type]

    def send(uplink: UplinkRow) -> set[bytes]:
        with database.begin("telemetry") as tx:
            fresh = tx.ledger.take([(key("1"), NOW)])
            tx.series.write([uplink], [], [])
            return fresh

    with pytest.raises(Exception, match="uplinks"):
        send(bad)
    assert send(row) == {key("1")}
    assert rows_of(database, "SELECT count(*) FROM uplinks") == [(1,)]
